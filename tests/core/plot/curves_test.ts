import assert from "node:assert/strict";
import { curves } from "../../../core/plot/curves.ts";
import { svgOf } from "../../../core/plot/svg.ts";

Deno.test("a run's curves have the top-5 accuracy where it says something", async () => {
  const row = { train_accuracy: 0.5, test_accuracy: 0.25, train_loss: 1, test_loss: 2, lr: 0.1 };
  const drawn = (top5: readonly number[]) =>
    svgOf(curves(top5.map((test_top5, i) => ({ epoch: i + 1, test_top5, ...row })), "net on cats"));
  const two = await drawn([1, 1]);
  assert.ok(two.includes(">best test accuracy 25.00 % in epoch 1</text>"));
  assert.ok(!two.includes("top-5"));
  assert.ok((await drawn([0.75, 1])).includes(">test top-5</text>"));
});
