import assert from "node:assert/strict";
import { createHistory } from "../../../core/train/history.ts";

const point = (time: number, accuracy = 0.5) => ({
  time,
  loss: 2 * time,
  accuracy,
  lr: 0.1,
  images_per_second: 100,
});

Deno.test("a short run keeps each step", () => {
  const history = createHistory(8);
  for (let i = 0; i < 7; i++) history.add(point(i));
  assert.equal(history.stride, 1);
  assert.deepEqual(history.points.map(({ time }) => time), [0, 1, 2, 3, 4, 5, 6]);
});

Deno.test("a long run keeps fewer points than its limit, each the mean of as many steps", () => {
  const history = createHistory(8);
  for (let i = 0; i < 1000; i++) {
    history.add(point(i));
    assert.ok(history.points.length < 8);
  }
  const { stride, points } = history;
  assert.equal(stride, 128);
  points.forEach(({ time, loss }, i) => {
    assert.equal(time, i * stride + (stride - 1) / 2);
    assert.equal(loss, 2 * time);
  });
});

Deno.test("what is not known of one step is left out of the mean", () => {
  const history = createHistory(2);
  history.add(point(0, NaN));
  history.add(point(1, 0.25));
  assert.equal(history.points[0]!.accuracy, 0.25);
});
