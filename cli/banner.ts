/** The first lines of a run: what runs, on what, how. */

import { namedParameters, type Parameter } from "../core/nn/module.ts";
import { sizeOf } from "../core/shape.ts";
import { stepsOf } from "../core/train/progress.ts";
import type { Trainer, TrainerOptions } from "../core/train/trainer.ts";
import type { Settings } from "./settings/settings.ts";
import { megabytes } from "./terminal.ts";

export function banner(options: TrainerOptions, settings: Settings, trainer: Trainer): string {
  const { backend, data: { train, test }, model, batch_size, epochs } = options;
  const parameters = [...namedParameters(model).values()];
  const count = (some: readonly Parameter[]) =>
    some.reduce((sum, { shape }) => sum + sizeOf(shape), 0).toLocaleString("en-US");
  const trained = parameters.filter(({ requires_grad }) => requires_grad);
  const number = (value: number) => value.toLocaleString("en-US");
  const counts = `${number(train.count)} training and ${number(test.count)} test images`;
  const shape = `${train.channels}×${train.height}×${train.width}`;
  const { model: name, optimizer, lr, scheduler, weight_decay, seed } = settings;
  const extras = describeExtras(settings);
  return [
    `Strata on ${backend.description}; memory ${megabytes(trainer.session.memory.totalBytes)}`,
    `${name}: ${count(parameters)} parameters` +
    (trained.length < parameters.length ? `, of which ${count(trained)} are trained` : ""),
    `${train.name}: ${counts} of ${shape}, ${train.classes.length} classes`,
    `${epochs} epochs of ${stepsOf(options)} steps of ${batch_size} images; ${optimizer}, ` +
    `lr ${lr} (${scheduler}), weight decay ${weight_decay}, seed ${seed}`,
    ...(extras.length > 0 ? [`With ${extras.join(", ")}`] : []),
  ].join("\n");
}

/** What is on that usually is off. */
export function describeExtras(settings: Settings): string[] {
  const { ema, ema_decay, no_wd_on_norm, early_stop, patience } = settings;
  const numbers = [
    "lr_head",
    "label_smoothing",
    "mixup",
    "cutmix",
    "random_erase",
    "clip_grad",
    "max_steps",
  ] as const;
  const lists = ["rand_augment", "color_jitter"] as const;
  const name = (flag: string) => flag.replaceAll("_", " ");
  return [
    ...numbers.filter((flag) => settings[flag] > 0).map((flag) => `${name(flag)} ${settings[flag]}`),
    ...lists.filter((flag) => settings[flag].length > 0).map((flag) =>
      `${name(flag)} ${settings[flag].join(",")}`
    ),
    ...(settings.accumulate > 1 ? [`gradients of ${settings.accumulate} batches an update`] : []),
    ...(ema ? [`averaged weights (${ema_decay})`] : []),
    ...(no_wd_on_norm ? ["no decay of norms and biases"] : []),
    ...(early_stop ? [`a stop after ${patience} epochs without a better one`] : []),
    ...(settings.max_time > 0 ? [`at most ${settings.max_time} seconds`] : []),
    ...(settings.limit_batches > 0 ? [`only ${settings.limit_batches} batches an epoch and a test`] : []),
    ...(settings.overfit_batches > 0 ? ["tests on the training images"] : []),
  ];
}
