import assert from "node:assert/strict";
import { sizeOf } from "../../../core/shape.ts";
import { namedParameters } from "../../../core/nn/mod.ts";
import { trainGraph } from "../../../core/train/graphs.ts";
import { models } from "../../../models/registry.ts";
import { classification } from "../../../core/train/classification.ts";

const images = { batch: 2, channels: 3, height: 64, width: 64, mean: [0, 0, 0], std: [1, 1, 1] };
const optimizer = { name: "sgd" } as const;

Deno.test("every parameter is updated once, when nothing reads it any more, and gradients do not pile up", () => {
  for (const name of ["resnet18", "googlenet", "mobilenet_v2", "resnet20"]) {
    const model = models[name]!.create({ num_classes: 10 });
    const { nodes } = trainGraph(model, { images, optimizer, task: classification() });
    const updated: string[] = [];
    const updates = nodes.flatMap((node, index) => node.op === "sgd" ? [{ node, index }] : []);
    for (const { node, index } of updates) {
      const [, , , ...rest] = node.inputs;
      const parameters = rest.filter((_, i) => i % 2 === 0);
      updated.push(...parameters.map(({ name }) => name));
      const later = nodes.slice(index + 1).flatMap(({ inputs }) => inputs);
      assert.ok(!parameters.some((parameter) => later.includes(parameter)), `${name}: read after its update`);
      // All but the last one to come were too few for an update.
      const before = parameters.slice(0, -1).reduce((sum, { shape }) => sum + sizeOf(shape), 0);
      assert.ok(before < 2 ** 18, `${name}: ${before} elements of gradients waited`);
    }
    assert.deepEqual(updated.sort(), [...namedParameters(model).keys()].sort(), name);
    const elements = [...namedParameters(model).values()].reduce((sum, { shape }) => sum + sizeOf(shape), 0);
    assert.ok(updates.length <= 1 + elements / 2 ** 18, `${name}: ${updates.length} updates`);
  }
});
