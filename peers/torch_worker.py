"""
Takes steps with PyTorch, as many as a line says; see peers/protocol.ts. On a GPU in float32 proper, without TF32, and each
step brings its images there.
"""
import inspect
import json
import re
import sys
import time
import warnings


def tell(kind, value):
    print(kind, value if isinstance(value, str) else json.dumps(value), flush=True)


def version(device):
    """With the library that multiplies matrices, which makes much of a difference, or the GPU."""
    if device.type == "cuda":
        return " ".join(["PyTorch", torch.__version__, torch.cuda.get_device_name(device)])
    blas = {"MKL": torch.backends.mkl.is_available()}
    try:
        with open("/proc/self/maps") as maps:
            blas.update((name, True) for name in re.findall(r"lib(openblas\w*|blis|atlas)[^/]*\.so", maps.read()))
    except OSError:
        pass  # Only Linux can say.
    return " ".join(["PyTorch", torch.__version__, *[name for name, there in blas.items() if there]])


def classification(job, device):
    """The loss of what a classifier gives for the images."""
    target = torch.arange(job["batch"], device=device) % job["classes"]
    cross_entropy = torch.nn.CrossEntropyLoss()

    def loss_of(output):
        if isinstance(output, torch.Tensor):
            return cross_entropy(output, target)
        scores, *auxiliary = output  # The scores, then the auxiliary classifiers'.
        weight = AUXILIARY_WEIGHTS[job["model"]]
        return cross_entropy(scores, target) + weight * sum(cross_entropy(a, target) for a in auxiliary)

    return loss_of


def detection(job, device):
    """The same of a detector."""
    target = targets(job["batch"], job["classes"], job["input"][-1]).to(device)
    return lambda output: yolo_loss(output, target, job["classes"])


def training(model, job, bring):
    """Forward, backward and SGD with momentum, as Strata's step."""
    loss = detection if job["model"] == "yolov1" else classification
    loss_of = loss(job, next(model.parameters()).device)
    optimizer = torch.optim.SGD(model.parameters(), lr=1e-4, momentum=0.9)
    model.train()

    def step():
        optimizer.zero_grad()
        loss = loss_of(model(bring()))
        loss.backward()
        optimizer.step()
        return loss.detach()

    def take(steps):
        losses = torch.stack([step() for _ in range(steps)])
        if not losses.isfinite().all():
            raise ArithmeticError("the loss is not finite")

    return take


def inference(model, bring, device):
    model.eval()

    def take(steps):
        with torch.inference_mode():
            for _ in range(steps):
                model(bring()).to("cpu", non_blocking=True)
        if device.type == "cuda":
            torch.cuda.synchronize()

    return take


def choose(device):
    """PyTorch's name for a device, made ready. Where there is none, says so and ends."""
    if device == "cpu":
        return torch.device("cpu")
    if not torch.cuda.is_available():
        tell("unable", f"PyTorch {torch.__version__} finds no GPU that it can use (CUDA)")
        sys.exit(0)
    torch.backends.cuda.matmul.allow_tf32 = False
    torch.backends.cudnn.allow_tf32 = False
    torch.backends.cudnn.benchmark = True  # The fastest of cuDNN's algorithms, found in the first steps.
    return torch.device("cuda")


def export(model, images, path):
    """Writes the ONNX file of the network in inference, for runtimes that read it."""
    arguments = {"opset_version": 13, "input_names": ["images"], "output_names": ["scores"]}
    if "dynamo" in inspect.signature(torch.onnx.export).parameters:
        arguments["dynamo"] = False  # The newer exporter needs more packages.
    torch.onnx.export(model.eval(), images, path, **arguments)


def prepare(job, device):
    """What a line `take` does; nothing where the job is to export."""
    torch.set_num_threads(job["threads"])
    torch.manual_seed(1)
    model = create(job["model"], job["classes"], job["input"][-1])
    parameters = sum(parameter.numel() for parameter in model.parameters())
    if parameters != job["parameters"]:
        raise ValueError(f"{job['model']} has {parameters} parameters in PyTorch and {job['parameters']} in Strata")
    images = 2 * torch.rand(job["batch"], *job["input"]) - 1
    if job["mode"] == "export":
        return export(model, images, job["onnx"])
    model.to(device)
    if device.type == "cuda":
        images = images.pin_memory()

    def bring():
        return images.to(device, non_blocking=True)

    if job["mode"] == "train":
        return training(model, job, bring)
    return inference(model, bring, device)


def main():
    job = json.loads(sys.stdin.readline())
    device = choose("cpu" if job["mode"] == "export" else job["device"])
    take = prepare(job, device)
    tell("ready", {"version": version(device)})
    for line in sys.stdin:
        steps = re.fullmatch(r"take ([1-9]\d*)", line.strip())
        if not steps:
            raise ValueError(f"{line.strip()} is no command")
        start = time.perf_counter()
        take(int(steps[1]))
        tell("taken", {"milliseconds": 1000 * (time.perf_counter() - start)})


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
