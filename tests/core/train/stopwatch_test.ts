import assert from "node:assert/strict";
import { createStopwatch } from "../../../core/train/stopwatch.ts";

Deno.test("a stopwatch tells speed and time left, and a pause does not count", () => {
  const { now } = performance;
  let time = 5000;
  performance.now = () => time;
  try {
    const watch = createStopwatch({ batch_size: 10, before: 2, total: 8, seconds: Infinity });
    watch.startEpoch();
    assert.equal(watch.pace().images_per_second, undefined);
    assert.equal(watch.pace().seconds_left, NaN);
    time += 2000;
    watch.step();
    // 10 images in 2 seconds; 5 steps are left.
    const pace = { images_per_second: 5, seconds_left: 10, epoch_seconds: 2, seconds: 2 };
    assert.deepEqual(watch.pace(), pace);
    time += 60_000;
    watch.skip(60_000);
    assert.deepEqual(watch.pace(), pace);
    watch.startEpoch();
    time += 1000;
    assert.deepEqual(watch.pace(), {
      images_per_second: undefined,
      seconds_left: 15,
      epoch_seconds: 1,
      seconds: 3,
    });
  } finally {
    performance.now = now;
  }
});
