"""Takes steps with PyTorch, one for each line `step`; see peers/protocol.ts."""
import inspect
import json
import math
import re
import sys
import time
import warnings


def tell(kind, value):
    print(kind, value if isinstance(value, str) else json.dumps(value), flush=True)


def version():
    """With the library that multiplies matrices, which makes much of a difference."""
    blas = {"MKL": torch.backends.mkl.is_available()}
    try:
        with open("/proc/self/maps") as maps:
            blas.update((name, True) for name in re.findall(r"lib(openblas\w*|blis|atlas)[^/]*\.so", maps.read()))
    except OSError:
        pass  # Only Linux can say.
    return " ".join(["PyTorch", torch.__version__, *[name for name, there in blas.items() if there]])


def classification(name, images, classes):
    """The loss of what a classifier gives for the images."""
    target = torch.arange(len(images)) % classes
    cross_entropy = torch.nn.CrossEntropyLoss()

    def loss_of(output):
        if isinstance(output, torch.Tensor):
            return cross_entropy(output, target)
        scores, *auxiliary = output  # The scores, then the auxiliary classifiers'.
        weight = AUXILIARY_WEIGHTS[name]
        return cross_entropy(scores, target) + weight * sum(cross_entropy(a, target) for a in auxiliary)

    return loss_of


def detection(images, classes):
    """The same of a detector."""
    target = targets(len(images), classes, images.shape[-1])
    return lambda output: yolo_loss(output, target, classes)


def training(model, name, images, classes):
    """Forward, backward and SGD with momentum, as Strata's step."""
    loss_of = detection(images, classes) if name == "yolov1" else classification(name, images, classes)
    optimizer = torch.optim.SGD(model.parameters(), lr=1e-4, momentum=0.9)
    model.train()

    def step():
        optimizer.zero_grad()
        loss = loss_of(model(images))
        loss.backward()
        optimizer.step()
        if not math.isfinite(loss.item()):
            raise ArithmeticError("the loss is not finite")

    return step


def inference(model, images):
    model.eval()

    def step():
        with torch.inference_mode():
            model(images)

    return step


def export(model, images, path):
    """Writes the ONNX file of the network in inference, for runtimes that read it."""
    arguments = {"opset_version": 13, "input_names": ["images"], "output_names": ["scores"]}
    if "dynamo" in inspect.signature(torch.onnx.export).parameters:
        arguments["dynamo"] = False  # The newer exporter needs more packages.
    torch.onnx.export(model.eval(), images, path, **arguments)


def prepare(job):
    """What a line `step` does; nothing where the job is to export."""
    torch.set_num_threads(job["threads"])
    torch.manual_seed(1)
    model = create(job["model"], job["classes"], job["input"][-1])
    parameters = sum(parameter.numel() for parameter in model.parameters())
    if parameters != job["parameters"]:
        raise ValueError(f"{job['model']} has {parameters} parameters in PyTorch and {job['parameters']} in Strata")
    images = 2 * torch.rand(job["batch"], *job["input"]) - 1
    if job["mode"] == "export":
        return export(model, images, job["onnx"])
    if job["mode"] == "train":
        return training(model, job["model"], images, job["classes"])
    return inference(model, images)


def main():
    job = json.loads(sys.stdin.readline())
    step = prepare(job)
    tell("ready", {"version": version()})
    for line in sys.stdin:
        if line.strip() != "step":
            raise ValueError(f"{line.strip()} is no command")
        start = time.perf_counter()
        step()
        tell("step", {"milliseconds": 1000 * (time.perf_counter() - start)})


warnings.simplefilter("ignore")
try:
    import torch
    import torchvision  # noqa: F401, since torch_networks needs it
except ImportError as error:
    tell("missing", error.name or str(error))
    sys.exit(0)

from torch_networks import AUXILIARY_WEIGHTS, create
from torch_yolo import targets, yolo_loss

try:
    main()
except Exception as error:  # Whatever it is, the bench tells it in one line and goes on.
    tell("error", f"{type(error).__name__}: {error}".splitlines()[0])
    sys.exit(1)
