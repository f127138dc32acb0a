import assert from "node:assert/strict";
import * as nn from "../../../core/nn/mod.ts";
import { belongsTo, freeze, headOf } from "../../../core/train/head.ts";
import { models } from "../../../models/registry.ts";

Deno.test("the head is what depends on the number of classes", () => {
  const head = (name: string) => [
    ...headOf((num_classes) => models[name]!.create({ num_classes, input_size: [32, 32] }), 10),
  ];
  assert.deepEqual(head("resnet18"), ["fc.weight", "fc.bias"]);
  assert.deepEqual(head("vgg16_cifar").length, 2);
  assert.deepEqual(head("squeezenet1_1"), ["classifier.1.weight", "classifier.1.bias"]);
  assert.deepEqual(head("mobilenet_v2"), ["classifier.1.weight", "classifier.1.bias"]);
  const googlenet = headOf((num_classes) => models["googlenet"]!.create({ num_classes }), 10);
  assert.deepEqual([...googlenet].filter((name) => name.endsWith("weight")), [
    "aux1.fc2.weight",
    "aux2.fc2.weight",
    "fc.weight",
  ]);
  assert.equal(headOf(() => new nn.Linear(4, 10), 10).size, 0);
});

Deno.test("a norm that was frozen before stays so, whatever is frozen now", () => {
  const model = models["resnet18"]!.create({ num_classes: 10 });
  const norms = [...nn.modules(model)].filter((one) => one instanceof nn.BatchNorm2d);
  norms.at(-1)!.frozen = true;
  freeze(model, belongsTo(model, ["bn1"]));
  assert.deepEqual(norms.flatMap(({ frozen }, i) => frozen ? [i] : []), [0, norms.length - 1]);
});

Deno.test("frozen layers have no gradients, and their batch norms run by their statistics", () => {
  const model = models["resnet18"]!.create({ num_classes: 10 });
  freeze(model, belongsTo(model, ["conv1", "bn1", "layer1"]));
  const frozen = [...nn.namedParameters(model)].filter(([, { requires_grad }]) => !requires_grad);
  assert.ok(frozen.every(([name]) => /^(conv1|bn1|layer1)\./.test(name)));
  assert.equal(frozen.length, 3 + 4 * 3);
  const { nodes } = nn.trace(model, [2, 3, 32, 32], { training: true });
  const norms = nodes.filter(({ op }) => op === "batch_norm");
  const byStatistics = norms.filter(({ attrs }) => !(attrs as { training: boolean }).training);
  assert.deepEqual(byStatistics.map(({ scope }) => scope), [
    "bn1",
    "layer1.0.bn1",
    "layer1.0.bn2",
    "layer1.1.bn1",
    "layer1.1.bn2",
  ]);
  assert.throws(
    () => belongsTo(model, ["layr1"]),
    /^UserError: there is no layer layr1 with parameters; did you mean layer1\?$/,
  );
});
