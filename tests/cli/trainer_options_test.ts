import assert from "node:assert/strict";
import { prepare } from "../../cli/trainer_options.ts";
import { resolveSettings, settingFlags, settingOf, type Settings } from "../../cli/settings/settings.ts";
import type { Backend } from "../../core/backend/backend.ts";
import * as nn from "../../core/nn/mod.ts";
import { namedParameters } from "../../core/nn/module.ts";
import { newProgress } from "../../core/train/progress.ts";
import { runGraphs } from "../../core/train/run_graphs.ts";
import { stepNumbers } from "../../core/train/step_numbers.ts";
import type { AnySplit } from "../../host/datasets.ts";
import type { ModelEntry } from "../../models/registry.ts";
import { tinyData } from "../support/tiny.ts";
import { tinyBoxes, TinyDetector } from "../support/tiny_boxes.ts";

type Changes = Partial<Settings>;

/** A change of each setting that a trainer has to know of, beside others that give it an effect. */
const CHANGES: Readonly<Record<string, readonly [change: Changes, beside?: Changes]>> = {
  epochs: [{ epochs: 5 }],
  batch_size: [{ batch_size: 5 }],
  optimizer: [{ optimizer: "adamw" }],
  lr: [{ lr: 0.02 }],
  weight_decay: [{ weight_decay: 0.1 }],
  momentum: [{ momentum: 0.5 }],
  nesterov: [{ nesterov: true }],
  scheduler: [{ scheduler: "constant" }],
  warmup_epochs: [{ warmup_epochs: 0.5 }],
  min_lr: [{ min_lr: 0.001 }],
  step_size: [{ step_size: 1 }, { scheduler: "step" }],
  milestones: [{ milestones: [2] }, { scheduler: "multistep", milestones: [3] }],
  gamma: [{ gamma: 0.5 }, { scheduler: "exponential" }],
  label_smoothing: [{ label_smoothing: 0.1 }],
  mixup: [{ mixup: 0.2 }],
  cutmix: [{ cutmix: 1 }],
  ema: [{ ema: true }],
  ema_decay: [{ ema_decay: 0.1 }, { ema: true }],
  clip_grad: [{ clip_grad: 2 }, { clip_grad: 1 }],
  accumulate: [{ accumulate: 2 }],
  no_wd_on_norm: [{ no_wd_on_norm: true }],
  freeze: [{ freeze: ["0"] }],
  lr_head: [{ lr_head: 0.1 }],
  early_stop: [{ early_stop: true }],
  patience: [{ patience: 3 }, { early_stop: true }],
  max_steps: [{ max_steps: 7 }],
  limit_batches: [{ limit_batches: 3 }],
  overfit_batches: [{ overfit_batches: 1 }],
  seed: [{ seed: 1 }],
};

const DETECTORS: typeof CHANGES = {
  lambda_coord: [{ lambda_coord: 1 }],
  lambda_noobj: [{ lambda_noobj: 1 }],
};

/** Settings that others see to: whoever loads data, keeps files, begins a run or starts the backend. */
const OTHERS = [
  ...["model", "dataset", "data", "input", "val_split", "scale", "hflip", "crop_padding", "rand_augment"],
  ...["color_jitter", "random_erase", "jitter", "exposure", "saturation", "no_aug", "val_resize_size"],
  ...["bad_images", "max_megapixels", "pretrained", "partial", "max_time", "save_top_k", "save_every"],
  ...["save_every_minutes", "exact", "amp"],
];

const own = { input: [3, 8, 8], num_classes: 2, source: "here" } as const;
const classifier: ModelEntry = {
  ...own,
  create: ({ num_classes = 2 } = {}) =>
    new nn.Sequential(
      new nn.Conv2d(3, 4, 3, { bias: false }),
      new nn.BatchNorm2d(4),
      new nn.AdaptiveAvgPool2d(1),
      new nn.Flatten(),
      new nn.Linear(4, num_classes),
    ),
};
const detector: ModelEntry = { ...own, create: () => new TinyDetector() };

const base = resolveSettings({ dataset: "cifar10", epochs: 4, "batch-size": 4, optimizer: "sgd", lr: 0.01 });

/** All that comes of settings: the graphs, the numbers that their steps are given, how far it goes on what. */
function outcome(changes: Changes, entry: ModelEntry, data: AnySplit): unknown {
  const { options } = prepare({ ...base, ...changes }, entry, data, {} as Backend);
  const { batch_size, accumulate, limit_batches, epochs, max_steps, patience, seed, model } = options;
  const graphs = Object.values(runGraphs(options)).map(({ nodes }) =>
    nodes.map(({ op, attrs, scope, outputs }) => [op, attrs, scope, outputs.map(({ shape }) => shape)])
  );
  const { count } = options.data.train;
  return {
    graphs,
    numbers: stepNumbers({ ...options, image: [8, 8] }, { ...newProgress(), step: 3, updates: 2 }, 0.01),
    rates: [0, 0.25, 1, 1.5, 2.5, 3.5].map(options.lr),
    limits: { batch_size, accumulate, limit_batches, epochs, max_steps, patience, seed, count },
    trained: [...namedParameters(model)].filter(([, { requires_grad }]) => requires_grad).map(([name]) =>
      name
    ),
  };
}

Deno.test("every setting of the training is handed on to the trainer", () => {
  for (
    const [changes, entry, data] of [
      [CHANGES, classifier, tinyData()],
      [DETECTORS, detector, tinyBoxes()],
    ] as const
  ) {
    for (const [setting, [change, beside = {}]] of Object.entries(changes)) {
      assert.notDeepEqual(
        outcome({ ...beside, ...change }, entry, data),
        outcome(beside, entry, data),
        setting,
      );
    }
  }
});

Deno.test("no setting is forgotten", () => {
  assert.deepEqual(
    [...Object.keys(CHANGES), ...Object.keys(DETECTORS), ...OTHERS].sort(),
    Object.keys(settingFlags).map(settingOf).sort(),
  );
});
