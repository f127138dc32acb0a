import assert from "node:assert/strict";
import { addToConfusion, createConfusion, highest, probability } from "../../../core/metrics/confusion.ts";

Deno.test("each sample is counted at its class and the class with the highest score; −1 not at all", () => {
  const confusion = createConfusion(3);
  const scores = [0, 1, 2, 5, 1, 2, -1, -3, -2, 0, 0, 9];
  addToConfusion(confusion, scores, [2, 1, 0, -1]);
  addToConfusion(confusion, scores, [2, 1, 0, -1]);
  assert.deepEqual([...confusion.counts], [2, 0, 0, 2, 0, 0, 0, 0, 2]);
});

Deno.test("the probability is the softmax, also of large scores", () => {
  assert.equal(highest([0, 0, 7, 3], 1, 2), 0);
  assert.ok(Math.abs(probability([0, 0, 1000, 1000 - Math.log(3)], 1, 2, 0) - 0.75) < 1e-12);
});
