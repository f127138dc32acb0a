import assert from "node:assert/strict";
import { allocateBatch, fillTestBatch, fillTrainBatch } from "../../../core/data/batches.ts";
import { overfitTo } from "../../../core/data/overfit.ts";
import { tinyData } from "../../support/tiny.ts";

Deno.test("the same few training images are trained and tested on, unmoved", async () => {
  const data = tinyData();
  const { train, test } = overfitTo(data, 8, 3);
  assert.equal(train.labels.length, 8);
  const [one, other] = [allocateBatch(train, 8), allocateBatch(test, 8)];
  const order = Uint32Array.from({ length: 8 }, (_, i) => i);
  await fillTrainBatch(one, train, { seed: 1, epoch: 4, step: 0, order });
  await fillTestBatch(other, test, 0);
  assert.deepEqual(one, other);
  const size = one.pixels.length / 8;
  for (let i = 0; i < 8; i++) {
    const image = one.pixels.subarray(i * size, (i + 1) * size);
    const found = Array.from(data.train.labels, (_, j) => j).filter((j) =>
      data.train.stored.images.subarray(j * size, (j + 1) * size).every((byte, at) => byte === image[at])
    );
    assert.equal(found.length, 1, "each is a training image");
    assert.equal(data.train.labels[found[0]!], one.target[i]);
  }
  assert.throws(() => overfitTo(data, 41, 3), /41 images are needed, and noise has 40 training images$/);
});
