/** What the demo page makes of weights, without the page. */
import assert from "node:assert/strict";
import { StateDict, type StateTensor } from "../../core/format/state_dict.ts";
import { stateDict } from "../../core/nn/mod.ts";
import { sizeOf } from "../../core/shape.ts";
import { recognise } from "../../demo/classifier.ts";
import { models } from "../../models/registry.ts";

/** Zeros for the network of that name, with so many classes. */
function weightsOf(name: string, num_classes: number, metadata: Record<string, string> = {}): StateDict {
  const tensors = Array.from(stateDict(models[name]!.create({ num_classes })), ([name, { shape }]) => {
    const tensor: StateTensor = { shape, dtype: "F32", data: new Float32Array(sizeOf(shape)) };
    return [name, tensor] as const;
  });
  return new StateDict("weights", tensors, { metadata });
}

Deno.test("weights are recognised by their tensors, whatever the number of classes", () => {
  for (const name of ["squeezenet1_1", "resnet8_keras"]) {
    assert.equal(recognise(weightsOf(name, 7)), name);
  }
  assert.equal(recognise(new StateDict("weights", [])), undefined);
});

Deno.test("a checkpoint says which network it is of, if the page knows it", () => {
  const run = (model: string) => weightsOf("resnet20", 10, { "strata.model": model, "strata.config": "{}" });
  assert.equal(recognise(run("resnet20")), "resnet20");
  for (const model of ["./my_net.ts", "yolov1"]) {
    assert.throws(
      () => recognise(run(model)),
      /weights: weights of .*, which is no classifier that this page knows$/,
    );
  }
});
