import assert from "node:assert/strict";
import { UserError } from "../../../core/errors.ts";
import * as nn from "../../../core/nn/mod.ts";

class Block extends nn.Module {
  conv1 = new nn.Conv2d(3, 8, 3, { bias: false });
  bn1 = new nn.BatchNorm2d(8);
  fc = new nn.Linear(8, 2);

  forward(x: nn.Tensor): nn.Tensor {
    x = nn.relu(this.bn1.forward(this.conv1.forward(x)));
    return this.fc.forward(nn.flatten(nn.adaptiveAvgPool2d(x, 1)));
  }
}

Deno.test("state_dict names and order are PyTorch's", () => {
  assert.deepEqual(
    [...nn.stateDict(new nn.Sequential(new Block()))].map(([name, { shape }]) => [name, shape]),
    [
      ["0.conv1.weight", [8, 3, 3, 3]],
      ["0.bn1.weight", [8]],
      ["0.bn1.bias", [8]],
      ["0.bn1.running_mean", [8]],
      ["0.bn1.running_var", [8]],
      ["0.bn1.num_batches_tracked", []],
      ["0.fc.weight", [2, 8]],
      ["0.fc.bias", [2]],
    ],
  );
});

Deno.test("a shared module counts once, and its ops read the same states", () => {
  const shared = new nn.Linear(4, 4);
  const model = new nn.Sequential({ a: shared, b: shared });
  assert.deepEqual([...nn.namedParameters(model).keys()], ["a.weight", "a.bias"]);
  const graph = nn.trace(model, [2, 4], { training: true });
  assert.deepEqual([...graph.states.keys()], ["a.weight", "a.bias"]);
});

Deno.test("nodes know the path and the class of the module that made them", () => {
  const graph = nn.trace(new Block(), [2, 3, 8, 8], { training: true });
  assert.deepEqual(graph.nodes.map(({ op, scope, layer }) => [op, scope, layer]), [
    ["conv2d", "conv1", "Conv2d"],
    ["batch_norm", "bn1", "BatchNorm2d"],
    ["relu", "", "Block"],
    ["adaptive_avg_pool2d", "", "Block"],
    ["reshape", "", "Block"],
    ["linear", "fc", "Linear"],
  ]);
  assert.deepEqual(graph.outputs.get("y")?.shape, [2, 2]);
});

Deno.test("dropout acts in training only, each layer with numbers of its own", () => {
  const model = new nn.Sequential(new nn.Dropout(0.2), new nn.Dropout(0.2));
  const streams = nn.trace(model, [4, 4], { training: true }).nodes
    .map((node) => (node.attrs as { stream: number }).stream);
  assert.deepEqual(streams, [0, 1]);
  assert.deepEqual(nn.trace(model, [4, 4], { training: false }).nodes, []);
});

Deno.test("Keras's same padding gives ⌈extent / stride⌉, the odd pixel at the bottom and the right", () => {
  const shapeAfter = (extent: number, kernel: number, stride: number) => {
    const model = new nn.Conv2d(1, 1, kernel, { stride, padding: "same" });
    const graph = nn.trace(model, [1, 1, extent, extent], { training: false });
    const { padding } = graph.nodes[0]!.attrs as { padding: readonly number[] };
    return [graph.outputs.get("y")!.shape[2], padding];
  };
  assert.deepEqual(shapeAfter(7, 3, 1), [7, [1, 1, 1, 1]]);
  assert.deepEqual(shapeAfter(7, 3, 2), [4, [1, 1, 1, 1]]);
  assert.deepEqual(shapeAfter(8, 3, 2), [4, [0, 0, 1, 1]]);
  assert.deepEqual(shapeAfter(8, 2, 1), [8, [0, 0, 1, 1]]);
  assert.deepEqual(shapeAfter(5, 1, 2), [3, [0, 0, 0, 0]]);
});

Deno.test("initial values are PyTorch's", () => {
  assert.deepEqual(new nn.Conv2d(4, 8, 3).weight.init, nn.uniform(-1 / 6, 1 / 6));
  assert.deepEqual(new nn.Linear(16, 8).bias?.init, nn.uniform(-0.25, 0.25));
  assert.deepEqual(nn.xavierUniform([2, 4]), nn.uniform(-1, 1));
  assert.deepEqual(nn.kaimingNormalFanOut([8, 3, 2, 2]), nn.normal(0, 0.25));
});

Deno.test("flatten and linear act on the axes that they are told to", () => {
  const shapeOf = (model: nn.Module, ...shape: number[]) =>
    nn.trace(model, shape, { training: false }).outputs.get("y")!.shape;
  assert.deepEqual(shapeOf(new nn.Flatten(), 2, 3, 4, 5), [2, 60]);
  assert.deepEqual(shapeOf(new nn.Flatten(0, 1), 2, 3, 4, 5), [6, 4, 5]);
  assert.deepEqual(shapeOf(new nn.Flatten(-3, -2), 2, 3, 4, 5), [2, 12, 5]);
  assert.deepEqual(shapeOf(new nn.Linear(5, 7), 2, 3, 4, 5), [2, 3, 4, 7]);
});

Deno.test("what a layer cannot be is one line for who writes the network", () => {
  for (const [channels, out, groups] of [[3, 8, 2], [4, 6, 4], [4, 4, 0]] as const) {
    assert.throws(
      () => new nn.Conv2d(channels, out, 3, { groups }),
      new UserError(
        `Conv2d(${channels}, ${out}): groups ${groups} must divide the ${channels} channels that come in and the ` +
          `${out} that go out`,
      ),
    );
  }
  const momentum = null as unknown as number;
  assert.throws(
    () => new nn.BatchNorm2d(4, { momentum }),
    /^UserError: BatchNorm2d: there is no momentum null/,
  );
});
