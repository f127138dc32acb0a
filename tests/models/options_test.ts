/** What single networks can be asked for, and their initial values. */
import assert from "node:assert/strict";
import type { DetectionModel } from "../../core/detect/model.ts";
import { UserError } from "../../core/errors.ts";
import * as nn from "../../core/nn/mod.ts";
import { type Shape, sizeOf } from "../../core/shape.ts";
import { convolutionHead, fullyConnectedHead } from "../../models/nin.ts";
import { models } from "../../models/registry.ts";

type Options = Parameters<typeof models[string]["create"]>[0];

function create(name: string, options?: Options): nn.Module {
  return models[name]!.create(options);
}

function paramsOf(model: nn.Module): number {
  return [...nn.namedParameters(model).values()].reduce((sum, { shape }) => sum + sizeOf(shape), 0);
}

/** Output shapes of the nodes, by the path of the module that made them. */
function shapesOf(model: nn.Module, input: Shape): Map<string, Shape> {
  const { nodes } = nn.trace(model, input, { training: false });
  return new Map(nodes.map(({ scope, outputs }) => [scope, outputs[0]!.shape]));
}

function initOf(model: nn.Module, name: string): nn.Init | undefined {
  return nn.namedParameters(model).get(name)?.init;
}

Deno.test("the CIFAR stem keeps a 32×32 image as large as it is", () => {
  const shapes = shapesOf(create("resnet18", { cifar_stem: true }), [1, 3, 32, 32]);
  assert.deepEqual(shapes.get("relu"), [1, 64, 32, 32]);
  assert.ok(!shapes.has("maxpool"));
  assert.deepEqual(shapes.get("layer4.1.conv2"), [1, 512, 4, 4]);
});

Deno.test("VGG-16 without its top ends after the last pool, with Keras's parameters and names", () => {
  const model = create("vgg16_keras", { include_top: false });
  assert.equal(paramsOf(model), 14_714_688);
  const { outputs } = nn.trace(model, [1, 3, 224, 224], { training: false });
  assert.deepEqual(outputs.get("y")?.shape, [1, 512, 7, 7]);
  const layers = (model: nn.Module) =>
    [...nn.namedParameters(model).keys()].filter((name) => name.endsWith(".weight"))
      .map((name) => name.slice(0, -".weight".length));
  assert.deepEqual(layers(create("vgg16_keras")), [
    ...["block1_conv1", "block1_conv2", "block2_conv1", "block2_conv2"],
    ...["block3_conv1", "block3_conv2", "block3_conv3", "block4_conv1", "block4_conv2", "block4_conv3"],
    ...["block5_conv1", "block5_conv2", "block5_conv3", "fc1", "fc2", "predictions"],
  ]);
});

Deno.test("alexnet_keras: the image's way, and batch norm with Keras's defaults after the pool", () => {
  const model = create("alexnet_keras");
  const { nodes } = nn.trace(model, [1, 3, 227, 227], { training: true });
  const extents = nodes.filter(({ op }) => op === "conv2d" || op === "max_pool2d" || op === "batch_norm")
    .map(({ scope, outputs }) => [scope.replace("features.", ""), outputs[0]!.shape[2]]);
  assert.deepEqual(extents, [
    ["conv1", 55],
    ["pool1", 27],
    ["bn1", 27],
    ["conv2", 27],
    ["pool2", 13],
    ["bn2", 13],
    ["conv3", 13],
    ["conv4", 13],
    ["conv5", 13],
    ["pool5", 7],
  ]);
  const norm = nodes.find(({ op }) => op === "batch_norm")!;
  assert.deepEqual(norm.attrs, { training: true, momentum: 0.01, eps: 1e-3 });
  assert.deepEqual(
    nodes.flatMap(({ op, attrs }) => op === "dropout" ? [(attrs as { p: number }).p] : []),
    [0.2, 0.2],
  );
});

Deno.test("GoogLeNet as in the paper: 5×5 branches and two local response norms, the same names", () => {
  const torchvision = create("googlenet");
  const paper = create("googlenet", { paper: true });
  // 16 more weights for each pair of channels of the nine 5×5 convolutions.
  const pairs = 16 * 32 + 32 * 96 + 16 * 48 + 2 * (24 * 64) + 32 * 64 + 2 * (32 * 128) + 48 * 128;
  assert.equal(paramsOf(paper) - paramsOf(torchvision), 16 * pairs);
  assert.deepEqual([...nn.stateDict(paper).keys()], [...nn.stateDict(torchvision).keys()]);
  const { nodes } = nn.trace(paper, [1, 3, 224, 224], { training: false });
  const around = nodes.flatMap(({ op }, i) =>
    op === "local_response_norm" ? [[nodes[i - 1]?.scope, nodes[i + 1]?.scope]] : []
  );
  assert.deepEqual(around, [["maxpool1", "conv2.conv"], ["conv3", "maxpool2"]]);
});

Deno.test("auxiliary classifiers exist in training only, with the references' weights", () => {
  const weights = (name: string, training: boolean): number[] => {
    const model = create(name);
    const tracer = new nn.Tracer(model, { training });
    const [channels, height, width] = models[name]!.input;
    const x = tracer.input("x", { shape: [2, channels, height, width], dtype: "f32" });
    const output: nn.ModelOutput = model.forward(x);
    if (output instanceof nn.Tensor) return [];
    for (const { scores } of output.auxiliary) assert.deepEqual(scores.shape, [2, 1000]);
    return output.auxiliary.map(({ weight }) => weight);
  };
  assert.deepEqual(weights("googlenet", true), [0.3, 0.3]);
  assert.deepEqual(weights("googlenet", false), []);
  assert.deepEqual(weights("inception_v3", true), [0.4]);
  assert.deepEqual(weights("inception_v3", false), []);
});

Deno.test("YOLOv1: grid, boxes, classes and head", () => {
  const output = (options: Options, size: number) =>
    nn.trace(create("yolov1", options), [1, 3, size, size], { training: false }).outputs.get("y")?.shape;
  assert.deepEqual(output({}, 448), [1, 7 * 7 * 30]);
  assert.deepEqual(output({ split_size: 2, num_boxes: 3, num_classes: 4 }, 128), [1, 2 * 2 * (4 + 15)]);
  assert.deepEqual(output({ input_size: [192, 192] }, 192), [1, 3 * 3 * 30]);
  const width = (head: "496" | "paper") =>
    nn.namedParameters(create("yolov1", { head })).get("fcs.1.weight")?.shape[0];
  assert.equal(width("496"), 496);
  assert.equal(width("paper"), 4096);
  for (const options of [{ input_size: [448, 400] }, { input_size: [448, 448], split_size: 5 }] as const) {
    assert.throws(() => create("yolov1", options), UserError);
  }
});

Deno.test("YOLOv1's pretrained layers fit into the detector, and light detectors count their cells", () => {
  const detector = nn.stateDict(create("yolov1"));
  const layers = [...nn.stateDict(create("yolov1_classifier"))].filter(([name]) =>
    name.startsWith("darknet.")
  );
  // 20 convolutions, each with the five tensors of its norm.
  assert.equal(layers.length, 20 * 6);
  for (const [name, { shape }] of layers) assert.deepEqual(detector.get(name)?.shape, shape, name);
  const map = (name: string, options: Options) => (create(name, options) as unknown as DetectionModel).map;
  assert.deepEqual(map("yolov1_squeezenet", {}), { split_size: 7, num_boxes: 2, num_classes: 20 });
  assert.equal(map("yolov1_squeezenet", { input_size: [448, 448] }).split_size, 14);
  assert.equal(map("yolov1_darknet53", { num_boxes: 3, num_classes: 1 }).split_size, 7);
  assert.throws(
    () => create("yolov1_squeezenet", { split_size: 9 }),
    /have 7×7 cells, not the 9 of split size/,
  );
  assert.throws(
    () => create("yolov1_darknet53", { input_size: [448, 320] }),
    /7×5 cells; they must be square/,
  );
});

Deno.test("a head of 1×1 convolution and means against a fully connected one, on 1024×8×8 features", () => {
  const [connected, convolution] = [fullyConnectedHead(1024, 8, 10), convolutionHead(1024, 10)];
  assert.equal(paramsOf(connected), 655_360);
  assert.equal(paramsOf(convolution), 10_250);
  for (const head of [connected, convolution]) {
    assert.deepEqual(
      nn.trace(head, [2, 1024, 8, 8], { training: false }).outputs.get("y")?.shape,
      [2, 10],
    );
  }
});

Deno.test("initial values are the references'", () => {
  const expected: [network: string, parameter: string, init: nn.Init][] = [
    ["vgg11_bn", "features.0.weight", nn.normal(0, Math.sqrt(2 / (64 * 9)))],
    ["vgg11_bn", "features.0.bias", nn.constant(0)],
    ["vgg16", "classifier.0.weight", nn.normal(0, 0.01)],
    ["vgg16_keras", "block1_conv1.weight", nn.uniform(-Math.sqrt(6 / (67 * 9)), Math.sqrt(6 / (67 * 9)))],
    ["vgg16_keras", "fc1.bias", nn.constant(0)],
    ["alexnet", "features.0.bias", nn.uniform(-1 / Math.sqrt(363), 1 / Math.sqrt(363))],
    ["nin", "mlpconv3.cccp2.weight", nn.normal(0, 0.05)],
    ["googlenet", "inception3a.branch2.1.conv.weight", nn.normal(0, 0.01)],
    ["googlenet", "aux1.fc2.weight", nn.normal(0, 0.01)],
    ["inception_v3", "Mixed_5b.branch1x1.conv.weight", nn.normal(0, 0.1)],
    ["inception_v3", "AuxLogits.fc.weight", nn.normal(0, 0.001)],
    ["resnext50_32x4d", "layer1.0.conv2.weight", nn.normal(0, Math.sqrt(2 / (128 * 9)))],
    ["resnet20", "conv1.weight", nn.normal(0, Math.sqrt(2 / 27))],
    ["resnet20", "linear.weight", nn.normal(0, Math.sqrt(2 / 64))],
    ["densenet121", "features.conv0.weight", nn.normal(0, Math.sqrt(2 / 147))],
    ["squeezenet1_1", "features.0.weight", nn.uniform(-Math.sqrt(6 / 27), Math.sqrt(6 / 27))],
    ["squeezenet1_1", "classifier.1.weight", nn.normal(0, 0.01)],
    ["mobilenet_v2", "features.1.conv.0.0.weight", nn.normal(0, Math.sqrt(2 / (32 * 9)))],
    ["mobilenet_v2", "classifier.1.weight", nn.normal(0, 0.01)],
    ["darknet53", "conv1.0.weight", nn.uniform(-1 / Math.sqrt(27), 1 / Math.sqrt(27))],
  ];
  for (const [network, parameter, init] of expected) {
    assert.deepEqual(initOf(create(network), parameter), init, `${network} ${parameter}`);
  }
});
