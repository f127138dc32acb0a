import assert from "node:assert/strict";
import * as nn from "../../../core/nn/mod.ts";
import { lastFeatureMap } from "../../../core/predict/feature_map.ts";
import { models } from "../../../models/registry.ts";

/** Who makes the map, and its shape. */
function found(model: nn.Module, input: readonly number[]) {
  const graph = nn.trace(model, [1, ...input], { training: false });
  const map = lastFeatureMap(graph, graph.inputs.get("x")!, graph.outputs.get("y")!);
  const maker = graph.nodes.find(({ outputs }) => outputs.includes(map!));
  return map && [maker!.op, maker!.scope, map.shape.slice(1).join("×")];
}

Deno.test("the last feature map: the end of the last block, whatever it is made of", () => {
  const of = (name: string, input = models[name]!.input) => found(models[name]!.create({}), input);
  assert.deepEqual(of("resnet18"), ["relu", "layer4.1.relu", "512×7×7"]);
  assert.deepEqual(of("vgg11"), ["relu", "features.19", "512×14×14"]); // Not the pool behind it.
  assert.deepEqual(of("googlenet"), ["concat", "inception5b", "1024×7×7"]); // Not one of its branches.
  assert.deepEqual(of("densenet121"), ["relu", "", "1024×7×7"]);
  assert.deepEqual(of("squeezenet1_1"), ["relu", "classifier.2", "1000×13×13"]);
  assert.deepEqual(of("mobilenet_v2"), ["relu6", "features.18.2", "1280×7×7"]);
  // Where nothing is left of a small image in the end, an earlier one.
  assert.deepEqual(of("resnet18", [3, 32, 32]), ["relu", "layer3.1.relu", "256×2×2"]);
});

Deno.test("the last feature map: every classifier of the registry has one", () => {
  for (const [name, { create, input }] of Object.entries(models)) assert.ok(found(create({}), input), name);
});

Deno.test("the last feature map: none without convolutions, or where only one pixel is left", () => {
  const flat = new nn.Sequential(new nn.MaxPool2d(2), new nn.ReLU(), new nn.Flatten(), new nn.Linear(12, 2));
  assert.equal(found(flat, [3, 4, 4]), undefined);
  const point = new nn.Sequential(
    new nn.Conv2d(3, 2, 4),
    new nn.ReLU(),
    new nn.Flatten(),
    new nn.Linear(2, 2),
  );
  assert.equal(found(point, [3, 4, 4]), undefined);
});
