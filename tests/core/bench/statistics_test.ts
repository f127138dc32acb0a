import assert from "node:assert/strict";
import { statisticsOf, timeSteps } from "../../../core/bench/statistics.ts";

Deno.test("median, extremes and quartiles", () => {
  const { count, median, min, max, quartiles, spread } = statisticsOf([5, 1, 4, 2, 3]);
  assert.deepEqual([count, median, min, max, quartiles], [5, 3, 1, 5, [2, 4]]);
  assert.equal(spread, 2 / 3);
  // As numpy.percentile([1, 2, 3, 10], [25, 50, 75]).
  const even = statisticsOf([10, 3, 1, 2]);
  assert.deepEqual([even.median, ...even.quartiles], [2.5, 1.75, 4.75]);
  assert.equal(statisticsOf([7]).spread, 0);
  assert.throws(() => statisticsOf([]), /no times/);
});

Deno.test("steps are counted as planned, after those that warm up", async () => {
  let steps = 0, between = 0;
  const told: [number, number][] = [];
  const { warmup, times } = await timeSteps(
    () => Promise.resolve(void steps++),
    { warmup: 3, warmupMilliseconds: 0, least: 4, most: 4, milliseconds: 0 },
    (done, expected) => told.push([done, expected]),
    () => Promise.resolve(void between++),
  );
  assert.deepEqual([warmup, times.length, steps, between], [3, 4, 7, 4]);
  assert.deepEqual(told, [[0, 4], [0, 4], [0, 4], [0, 4], [1, 4], [2, 4], [3, 4]]);
});

Deno.test("as many steps as fit into the time, within bounds", async () => {
  const real = performance.now;
  let clock = 0;
  performance.now = () => clock;
  const tenMilliseconds = () => Promise.resolve(void (clock += 10));
  const stepsIn = async (milliseconds: number) => {
    const plan = { warmup: 0, warmupMilliseconds: 25, least: 2, most: 6, milliseconds };
    const { warmup, times } = await timeSteps(tenMilliseconds, plan);
    assert.equal(warmup, 3);
    assert.ok(times.every((time) => time === 10));
    return times.length;
  };
  try {
    assert.deepEqual([await stepsIn(0), await stepsIn(45), await stepsIn(500)], [2, 4, 6]);
  } finally {
    performance.now = real;
  }
});
