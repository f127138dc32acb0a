import assert from "node:assert/strict";
import { differingSettings, runFigures } from "../../../core/metrics/runs.ts";

Deno.test("figures of a run: its best epoch, all of its time, its usual speed", () => {
  const log = [
    { epoch: 1, test_accuracy: 0.5, seconds: 10, images_per_second: 90 },
    { epoch: 2, test_accuracy: 0.75, seconds: 8, images_per_second: 100 },
    { epoch: 3, test_accuracy: 0.75, seconds: 9, images_per_second: 120 },
  ];
  assert.deepEqual(runFigures(log), {
    epochs: 3,
    best_accuracy: 0.75,
    best_epoch: 2,
    seconds: 27,
    images_per_second: 100,
  });
  const none = { best_accuracy: undefined, best_epoch: undefined, images_per_second: undefined };
  assert.deepEqual(runFigures([]), { epochs: 0, seconds: 0, ...none });
});

Deno.test("settings in which runs differ: also lists, and those that only some have", () => {
  const runs = [
    { model: "a", lr: 0.1, milestones: [3, 6], seed: 0 },
    { model: "a", lr: 0.2, milestones: [3, 6], seed: 0, ema: true },
    { model: "a", lr: 0.2, milestones: [3, 7], seed: 0, ema: true },
  ];
  assert.deepEqual(differingSettings(runs), ["lr", "milestones", "ema"]);
  assert.deepEqual(differingSettings(runs.slice(0, 1)), []);
});
