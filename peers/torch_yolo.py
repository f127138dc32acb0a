"""YOLOv1 in PyTorch, as models/yolov1.ts and core/ops/yolo_loss.ts have it: the network and the paper's loss."""
import torch
from torch import nn

BOXES = 2  # a cell
HIDDEN = 496
# Kernel size, output channels, stride of each convolution; "M" is a 2×2 max pool.
LAYERS = [
    (7, 64, 2), "M", (3, 192, 1), "M",
    (1, 128, 1), (3, 256, 1), (1, 256, 1), (3, 512, 1), "M",
    *[(1, 256, 1), (3, 512, 1)] * 4, (1, 512, 1), (3, 1024, 1), "M",
    *[(1, 512, 1), (3, 1024, 1)] * 2, (3, 1024, 1), (3, 1024, 2), (3, 1024, 1), (3, 1024, 1),
]


def yolov1(classes, size):
    cells = (size // 64) ** 2
    layers, channels = [], 3
    for layer in LAYERS:
        if layer == "M":
            layers.append(nn.MaxPool2d(2))
            continue
        kernel, outputs, stride = layer
        padding = kernel // 2
        layers += [
            nn.Conv2d(channels, outputs, kernel, stride, padding, bias=False), nn.BatchNorm2d(outputs), nn.LeakyReLU(0.1)
        ]
        channels = outputs
    return nn.Sequential(
        *layers, nn.Flatten(), nn.Linear(channels * cells, HIDDEN), nn.LeakyReLU(0.1),
        nn.Linear(HIDDEN, cells * (classes + 5 * BOXES)),
    )


def targets(images, classes, size):
    """Cells of (class, x, y, w, h), class -1 where nothing is: the two objects that core/bench/workload.ts has in each image."""
    side = size // 64
    target = torch.zeros(images, side, side, 5)
    target[..., 0] = -1
    for label, x, y, width, height in ((0, 0.25, 0.4, 0.3, 0.6), (classes - 1, 0.6, 0.7, 0.6, 0.4)):
        x, y = x * side, y * side
        target[:, int(y), int(x)] = torch.tensor([label, x % 1, y % 1, width * side, height * side])
    return target


def yolo_loss(output, target, classes, coord=5, noobj=0.5):
    """The mean over the images; see the op yolo_loss."""
    images = len(output)
    cells, target = output.view(-1, classes + 5 * BOXES), target.view(-1, 5)
    boxes = cells[:, classes:].view(-1, BOXES, 5)
    there = target[:, 0] >= 0
    wanted, candidates = target[there], boxes[there]
    overlap, best = iou(candidates[..., 1:].detach(), wanted[:, None, 1:]).max(1)
    chosen = candidates[torch.arange(len(best), device=best.device), best]
    confidences = chosen[:, 0]
    labels = nn.functional.one_hot(wanted[:, 0].long(), classes)
    place = (chosen[:, 1:3] - wanted[:, 1:3]).square().sum() + (
        root(chosen[:, 3:]) - wanted[:, 3:].sqrt()
    ).square().sum()
    nothing = boxes[..., 0].square().sum() - confidences.square().sum()
    kind = (cells[there, :classes] - labels).square().sum()
    return (coord * place + (confidences - overlap).square().sum() + noobj * nothing + kind) / images


def iou(a, b):
    """Of boxes (x, y, w, h)."""
    low = torch.maximum(a[..., :2] - a[..., 2:] / 2, b[..., :2] - b[..., 2:] / 2)
    high = torch.minimum(a[..., :2] + a[..., 2:] / 2, b[..., :2] + b[..., 2:] / 2)
    shared = (high - low).clamp(min=0).prod(-1)
    return shared / (a[..., 2:].prod(-1) + b[..., 2:].prod(-1) - shared)


def root(x):
    return x.sign() * (x.abs() + 1e-6).sqrt()
