/** What a run is, from flags, from the run it resumes, and from each data set's defaults. */
import { UserError } from "../core/errors.ts";
import { type OptimizerName, optimizerNames, type OptimizerOptions } from "../core/optim/optimizer.ts";
import { schedule, type ScheduleName, scheduleNames, type ScheduleOptions } from "../core/optim/schedule.ts";
import { DATASETS } from "../host/datasets.ts";
import type { AnyModelOptions } from "../models/registry.ts";
import { oneOf, type Parsed, real, switchFlag, text, whole, wholeList } from "./arguments.ts";

/** Everything that decides a run's numbers; kept in config.json and in checkpoints. */
export interface Settings {
  readonly model: string;
  /** What the network's own flags set. */
  readonly model_options: AnyModelOptions;
  readonly dataset: string;
  readonly data: string;
  readonly epochs: number;
  readonly batch_size: number;
  readonly optimizer: OptimizerName;
  readonly lr: number;
  readonly momentum: number;
  readonly nesterov: boolean;
  readonly weight_decay: number;
  readonly scheduler: ScheduleName;
  readonly warmup_epochs: number;
  readonly step_size: number;
  readonly milestones: readonly number[];
  readonly gamma: number;
  readonly min_lr: number;
  readonly label_smoothing: number;
  readonly seed: number;
}

export const settingFlags = {
  model: text(
    "NAME",
    "the network, see deno task models, or a file with your own: ./my_net.ts; default resnet50",
  ),
  dataset: oneOf(DATASETS, "digits (comes with Strata, the default) or cifar10"),
  data: text("PATH", "folder or archive of the data set; downloaded there if it is not; default data"),
  epochs: whole("passes over the training images", { min: 1 }),
  "batch-size": whole("images a step", { min: 1 }),
  optimizer: oneOf(optimizerNames, "sgd, adam, adamw or rmsprop"),
  lr: real("learning rate; the highest one for onecycle", { min: 0, above: true }),
  momentum: real("of sgd and rmsprop", { min: 0, max: 1 }),
  nesterov: switchFlag("Nesterov's momentum, for sgd"),
  "weight-decay": real("L2 penalty; decoupled for adamw", { min: 0 }),
  scheduler: oneOf(scheduleNames, "constant, step, multistep, exponential, cosine or onecycle"),
  "warmup-epochs": real("epochs in which the learning rate rises linearly from a hundredth", { min: 0 }),
  "step-size": whole("epochs between drops, for step", { min: 1 }),
  milestones: wholeList("epochs at which it drops, for multistep", { min: 1 }),
  gamma: real("factor of a drop: step, multistep, and each epoch of exponential", { min: 0, above: true }),
  "min-lr": real("where cosine ends", { min: 0 }),
  "label-smoothing": real("share of each target spread over all classes", { min: 0, max: 1 }),
  seed: whole("of everything random", { min: 0 }),
};

const common = {
  model: "resnet50",
  model_options: {},
  data: "data",
  momentum: 0.9,
  nesterov: false,
  step_size: 30,
  milestones: [],
  gamma: 0.1,
  min_lr: 0,
  label_smoothing: 0,
  seed: 0,
  warmup_epochs: 0,
} as const;

/** What works well enough without any flag; found by trying, see ARCHITECTURE.md. */
const defaults: Readonly<Record<string, Omit<Settings, "dataset">>> = {
  digits: {
    ...common,
    epochs: 10,
    batch_size: 32,
    optimizer: "sgd",
    lr: 0.05,
    weight_decay: 5e-4,
    scheduler: "onecycle",
  },
  cifar10: {
    ...common,
    epochs: 10,
    batch_size: 100,
    optimizer: "sgd",
    lr: 0.05,
    weight_decay: 5e-4,
    scheduler: "cosine",
    warmup_epochs: 1,
  },
};

/** Of a resumed run: what cannot change without making it another run. */
const FIXED = ["model", "dataset", "batch_size", "optimizer", "seed"] as const;

export type SettingFlags = Parsed<typeof settingFlags>;

/** Flags first, then the resumed run's settings, then the data set's defaults. */
export function resolveSettings(flags: SettingFlags, resumed?: Settings): Settings {
  const dataset = flags.dataset ?? resumed?.dataset ?? "digits";
  const base = resumed ?? { dataset, ...defaults[dataset]! };
  const given = Object.fromEntries(
    Object.keys(settingFlags)
      .map((name) => [name.replaceAll("-", "_"), flags[name as keyof SettingFlags]] as const)
      .filter(([, value]) => value !== undefined),
  );
  const merged: Settings = { ...base, ...given };
  // Nobody asked for the default warm-up, so a short run shortens it.
  const warmup_epochs = flags["warmup-epochs"] ?? Math.min(merged.warmup_epochs, merged.epochs / 4);
  const settings: Settings = { ...merged, warmup_epochs };
  for (const name of resumed ? FIXED : []) {
    if (settings[name] === resumed![name]) continue;
    throw new UserError(
      `--${name.replaceAll("_", "-")} ${settings[name]} does not go with --resume: that run has ${
        resumed![name]
      }`,
    );
  }
  if (settings.scheduler === "multistep" && settings.milestones.length === 0) {
    throw new UserError("--scheduler multistep needs --milestones, the epochs at which the rate drops");
  }
  if (settings.nesterov && (settings.optimizer !== "sgd" || settings.momentum === 0)) {
    throw new UserError("--nesterov needs --optimizer sgd and a --momentum above 0");
  }
  if (settings.warmup_epochs >= settings.epochs && settings.warmup_epochs > 0) {
    throw new UserError(
      `--warmup-epochs ${settings.warmup_epochs} must be less than the ${settings.epochs} of --epochs`,
    );
  }
  return settings;
}

export function optimizerOf(settings: Settings): OptimizerOptions {
  const { optimizer: name, momentum, nesterov, weight_decay } = settings;
  if (name === "sgd") return { name, momentum, nesterov, weight_decay };
  if (name === "rmsprop") return { name, momentum, weight_decay };
  return { name, weight_decay };
}

/** The learning rate at a time in epochs. Warm-up counts among the epochs. */
export function learningRate(settings: Settings, stepsPerEpoch: number): (epochs: number) => number {
  const { lr, scheduler: name, step_size, milestones, gamma, epochs, warmup_epochs, min_lr } = settings;
  const warmup = { warmup: warmup_epochs, start_factor: 0.01 };
  const after = epochs - warmup_epochs;
  if (name === "onecycle") {
    // One cycle has its own way up, and is counted in steps.
    const total_steps = Math.max(2, epochs * stepsPerEpoch);
    const rate = schedule({ name, lr, max_lr: lr, total_steps });
    return (time) => rate(Math.min(time * stepsPerEpoch, total_steps - 1));
  }
  const options: ScheduleOptions = name === "constant"
    ? { name, lr, ...warmup }
    : name === "step"
    ? { name, lr, step_size, gamma, ...warmup }
    : name === "multistep"
    ? { name, lr, milestones: milestones.map((epoch) => epoch - warmup_epochs), gamma, ...warmup }
    : name === "exponential"
    ? { name, lr, gamma, ...warmup }
    : { name, lr, T_max: after, eta_min: min_lr, ...warmup };
  return schedule(options);
}
