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
    (count) => Promise.resolve(steps += count),
    { warmup: 3, warmupMilliseconds: 0, least: 4, most: 4, milliseconds: 0, group: 0 },
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
  const tenMilliseconds = (steps: number) => Promise.resolve(clock += 10 * steps);
  const stepsIn = async (milliseconds: number) => {
    const plan = { warmup: 0, warmupMilliseconds: 25, least: 2, most: 6, milliseconds, group: 0 };
    const { warmup, steps, times } = await timeSteps(tenMilliseconds, plan);
    assert.deepEqual([warmup, steps], [3, times.length]);
    assert.ok(times.every((time) => time === 10));
    return times.length;
  };
  try {
    assert.deepEqual([await stepsIn(0), await stepsIn(45), await stepsIn(500)], [2, 4, 6]);
  } finally {
    performance.now = real;
  }
});

Deno.test("short steps are timed in groups, which wait once for what they bring back", async () => {
  const real = performance.now;
  let clock = 0;
  performance.now = () => clock;
  const groups: number[] = [];
  const take = (steps: number) => {
    groups.push(steps);
    return Promise.resolve(clock += 10 + 2 * steps);
  };
  const plan = { warmup: 2, warmupMilliseconds: 40, least: 5, most: 300, milliseconds: 500, group: 300 };
  try {
    const { warmup, steps, times } = await timeSteps(take, plan);
    // 12, 12 and 14 ms, then 18, which makes a step of 4.5 ms.
    assert.deepEqual([groups, warmup], [[1, 1, 2, 4, 67, 67, 67, 67], 8]);
    assert.equal(steps, 268);
    assert.deepEqual(times, Array(4).fill(144 / 67));
  } finally {
    performance.now = real;
  }
});
