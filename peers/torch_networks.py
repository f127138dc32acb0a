"""The networks in PyTorch: torchvision's, and those that torchvision has not, layer by layer as in models/."""
import torch
import torchvision
from torch import nn
from torch_yolo import yolov1

# What each auxiliary classifier's loss counts, in training.
AUXILIARY_WEIGHTS = {"googlenet": 0.3, "inception_v3": 0.4}


def create(name, classes, size):
    """A network by the name that it has in models/registry.ts. Raises LookupError where there is none here."""
    if name in OWN:
        return OWN[name](classes, size)
    factory = getattr(torchvision.models, name, None)
    if factory is None:
        raise LookupError(f"neither torchvision nor peers/torch_networks.py has a network {name}")
    if name in AUXILIARY_WEIGHTS:
        return factory(num_classes=classes, aux_logits=True, init_weights=False)
    return factory(num_classes=classes)


def conv_bn_relu(inputs, outputs, kernel, stride=1, padding=0):
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, kernel, stride, padding), nn.BatchNorm2d(outputs), nn.ReLU()
    )


class Bottleneck(nn.Module):
    """A block of resnet50_layer4, with the projections that it owns and may not use."""

    def __init__(self, inputs, middle, outputs, halve):
        super().__init__()
        stride = 2 if halve else 1
        self.layer = nn.Sequential(
            conv_bn_relu(inputs, middle, 1, stride),
            conv_bn_relu(middle, middle, 3, padding=1),
            conv_bn_relu(middle, outputs, 1),
        )
        self.downsize = conv_bn_relu(inputs, outputs, 1, stride) if halve else None
        self.make_equal_channel = conv_bn_relu(inputs, outputs, 1)
        self.is_same = inputs == outputs

    def forward(self, x):
        if self.downsize is not None:
            return self.layer(x) + self.downsize(x)
        return self.layer(x) + (x if self.is_same else self.make_equal_channel(x))


def stage(inputs, middle, outputs, blocks, halve):
    return nn.Sequential(*[
        Bottleneck(outputs if i else inputs, middle, outputs, halve and i == blocks - 1) for i in range(blocks)
    ])


def resnet50_layer4(classes, size):
    return nn.Sequential(
        nn.Conv2d(3, 64, 7, 2, 3), nn.BatchNorm2d(64), nn.ReLU(), nn.MaxPool2d(3, 2, 1),
        stage(64, 64, 256, 3, True), stage(256, 128, 512, 4, True), stage(512, 256, 1024, 6, False),
        nn.AvgPool2d(2), nn.Flatten(), nn.Linear(1024 * (size // 32) ** 2, classes),
    )


def vgg16_cifar(classes, size):
    return nn.Sequential(
        torchvision.models.vgg16().features, nn.Flatten(),
        nn.Dropout(), nn.Linear(512 * (size // 32) ** 2, 512), nn.BatchNorm1d(512), nn.ReLU(),
        nn.Dropout(), nn.Linear(512, classes),
    )


def conv_bn_leaky(inputs, outputs, kernel, stride=1):
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, kernel, stride, (kernel - 1) // 2, bias=False),
        nn.BatchNorm2d(outputs), nn.LeakyReLU(),
    )


class Residual(nn.Module):
    """A block of darknet53."""

    def __init__(self, channels):
        super().__init__()
        self.layer1 = conv_bn_leaky(channels, channels // 2, 1)
        self.layer2 = conv_bn_leaky(channels // 2, channels, 3)

    def forward(self, x):
        return self.layer2(self.layer1(x)) + x


def darknet53(classes, _size):
    layers, channels = [conv_bn_leaky(3, 32, 3)], 32
    for blocks in (1, 2, 8, 8, 4):
        layers.append(conv_bn_leaky(channels, 2 * channels, 3, 2))
        channels *= 2
        layers += [Residual(channels) for _ in range(blocks)]
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(channels, classes))


def small_cnn(classes, size):
    """As in peers/networks.ts."""
    return nn.Sequential(
        nn.Conv2d(3, 8, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(8, 16, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
        nn.Flatten(), nn.Linear(16 * (size // 4) ** 2, classes),
    )


OWN = {network.__name__: network for network in (resnet50_layer4, vgg16_cifar, darknet53, yolov1, small_cnn)}
