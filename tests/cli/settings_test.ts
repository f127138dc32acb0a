import assert from "node:assert/strict";
import { learningRate, optimizerOf, usualOptimizer } from "../../cli/settings/schedule.ts";
import { resolveSettings, type SettingFlags, type Settings } from "../../cli/settings/settings.ts";
import { optimizerNames, type OptimizerOptions } from "../../core/optim/optimizer.ts";

/** The learning rate at a time in epochs; the end of the run is its last step. */
function rates(settings: Settings, steps = 100): (time: number) => number {
  const rate = learningRate(settings, steps);
  return (time) => rate(Math.min(time, settings.epochs - 1 / steps));
}

Deno.test("what is planned for an optimiser is what train keeps for it", () => {
  for (const name of optimizerNames) {
    const keeps = ({ momentum = 0 }: OptimizerOptions & { momentum?: number }) => momentum !== 0;
    assert.equal(keeps(usualOptimizer(name)), keeps(optimizerOf(resolveSettings({ optimizer: name }))), name);
  }
});

Deno.test("defaults are those of the data set, the optimiser and the schedule that were chosen", () => {
  const pick = (flags: SettingFlags) => {
    const { optimizer, lr, momentum, weight_decay, scheduler, epochs, batch_size } = resolveSettings(flags);
    return [optimizer, lr, momentum, weight_decay, scheduler, epochs, batch_size];
  };
  assert.deepEqual(pick({}), ["adamw", 0.002, 0, 0.01, "onecycle", 7, 64]);
  assert.deepEqual(pick({ dataset: "cifar10" }), ["adamw", 0.0003, 0, 0.01, "cosine", 10, 100]);
  assert.deepEqual(pick({ optimizer: "sgd" }), ["sgd", 0.05, 0.9, 5e-4, "onecycle", 7, 64]);
  assert.deepEqual(pick({ dataset: "cifar10", optimizer: "adam" }), ["adam", 0.001, 0, 0, "cosine", 10, 100]);
  assert.deepEqual(pick({ optimizer: "rmsprop", epochs: 2 }), ["rmsprop", 0.001, 0, 0, "onecycle", 2, 64]);
  assert.deepEqual(pick({ optimizer: "sgd", lr: 0.2, momentum: 0.5 }), [
    "sgd",
    0.2,
    0.5,
    5e-4,
    "onecycle",
    7,
    64,
  ]);
});

Deno.test("schedules have defaults that suit the length of the run", () => {
  const exponential = rates(resolveSettings({ scheduler: "exponential", epochs: 20, lr: 0.001 }));
  assert.equal(exponential(0), 0.001);
  assert.ok(Math.abs(exponential(20) / 0.001 - 0.01) < 1e-3);
  const step = rates(resolveSettings({ scheduler: "step", epochs: 9, lr: 0.001 }));
  const expected = [0.001, 0.001, 0.0001, 0.0001, 0.00001, 0.00001];
  [0, 2.9, 3, 5.9, 6, 9].forEach((time, index) => {
    assert.ok(Math.abs(step(time) - expected[index]!) < 1e-12, `${time}: ${step(time)}`);
  });
});

Deno.test("YOLOv1's schedule clips gradients; an older run goes on as it began", () => {
  const yolo: SettingFlags = { dataset: "boxes", data: "photos", model: "yolov1" };
  assert.equal(resolveSettings(yolo).clip_grad, 10);
  assert.equal(resolveSettings({ ...yolo, "clip-grad": 0 }).clip_grad, 0);
  assert.equal(resolveSettings({ ...yolo, scheduler: "cosine" }).clip_grad, 0);
  assert.equal(resolveSettings({}, { ...resolveSettings(yolo), clip_grad: 0 }).clip_grad, 0);
});

Deno.test("only a new run's default warm-up is shortened", () => {
  assert.equal(resolveSettings({ dataset: "cifar10" }).warmup_epochs, 1);
  assert.equal(resolveSettings({ dataset: "cifar10", epochs: 2 }).warmup_epochs, 0.5);
  assert.equal(resolveSettings({ dataset: "cifar10", scheduler: "onecycle" }).warmup_epochs, 0);
  const given = resolveSettings({ dataset: "cifar10", epochs: 3, "warmup-epochs": 2 });
  assert.equal(given.warmup_epochs, 2);
  assert.deepEqual(resolveSettings({}, given), given);
  const short = resolveSettings({ dataset: "cifar10", epochs: 2 });
  assert.equal(resolveSettings({ epochs: 10 }, short).warmup_epochs, 0.5);
});

Deno.test("one cycle comes after the warm-up that was asked for, and ends with the run", () => {
  const plain = rates(resolveSettings({ epochs: 4 }));
  const warm = rates(resolveSettings({ epochs: 5, "warmup-epochs": 1 }));
  const start = 0.002 / 25;
  assert.ok(Math.abs(warm(0) - 0.01 * start) < 1e-12);
  assert.ok(Math.abs(warm(0.5) - 0.505 * start) < 1e-12);
  for (const time of [0, 0.5, 1, 1.19, 2, 3.5, 4]) {
    assert.ok(Math.abs(warm(1 + time) - plain(time)) < 1e-12, `${time}`);
  }
  assert.ok(Math.abs(warm(5) - start / 1e4) < 1e-12);
});

Deno.test("a resumed run takes another schedule with that schedule's defaults", () => {
  const before = resolveSettings({ dataset: "cifar10" });
  const after = resolveSettings({ scheduler: "exponential", epochs: 20 }, before);
  assert.deepEqual([after.gamma, after.warmup_epochs, after.lr], [0.01 ** (1 / 20), 1, 0.0003]);
});

Deno.test("flags without effect are refused, with what they are for", () => {
  const cases: [SettingFlags, RegExp][] = [
    [
      { optimizer: "adam", momentum: 0.9 },
      /--momentum has no effect with --optimizer adam: it is for sgd, rmsprop$/,
    ],
    [
      { optimizer: "rmsprop", nesterov: true },
      /--nesterov has no effect with --optimizer rmsprop: it is for sgd$/,
    ],
    [{ "step-size": 3 }, /--step-size has no effect with --scheduler onecycle: it is for step$/],
    [{ scheduler: "step", "min-lr": 0.1 }, /--min-lr has no effect with --scheduler step: it is for cosine$/],
    [{ scheduler: "cosine", gamma: 0.1 }, /--gamma has no effect with --scheduler cosine: it is for step, /],
    [{ milestones: [3] }, /--milestones has no effect with --scheduler onecycle/],
    [{ optimizer: "sgd", momentum: 0, nesterov: true }, /--nesterov needs a --momentum above 0/],
  ];
  for (const [flags, message] of cases) assert.throws(() => resolveSettings(flags), message);
  assert.throws(
    () => resolveSettings({ "batch-size": 3 }, resolveSettings({})),
    /--batch-size 3 does not go with --resume: that run has 64$/,
  );
});
