/** How long, with which optimiser and at which learning rate. */
import { UserError } from "../../core/errors.ts";
import { type OptimizerName, optimizerNames, type OptimizerOptions } from "../../core/optim/optimizer.ts";
import {
  schedule,
  type ScheduleName,
  scheduleNames,
  type ScheduleOptions,
} from "../../core/optim/schedule.ts";
import { oneOf, type Parsed, real, switchFlag, whole, wholeList } from "../arguments.ts";

export interface ScheduleSettings {
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
}

export const scheduleFlags = {
  epochs: whole("passes over the training images; digits 7, boxes 138, else 10", { min: 1 }),
  "batch-size": whole("images a step; digits 64, folders 32, boxes 8, else 100", { min: 1 }),
  optimizer: oneOf(optimizerNames, "adamw, sgd, adam or rmsprop"),
  lr: real("learning rate, the highest one for onecycle", { min: 0, above: true }),
  "weight-decay": real("0.01 for adamw, 5e-4 for sgd", { min: 0 }),
  momentum: real("0.9 for sgd, 0 for rmsprop", { min: 0, max: 1 }),
  nesterov: switchFlag("Nesterov's momentum, for sgd"),
  scheduler: oneOf(
    scheduleNames,
    "onecycle, cosine, constant, step, multistep, exponential, yolo",
  ),
  "warmup-epochs": real("epochs in which the rate first rises", { min: 0 }),
  "min-lr": real("where cosine ends", { min: 0 }),
  "step-size": whole("epochs between drops, for step; a third of all", { min: 1 }),
  milestones: wholeList("epochs at which it drops, for multistep", { min: 1 }),
  gamma: real("factor of a drop; 0.1", { min: 0, above: true }),
};

type OfDataset = Pick<
  ScheduleSettings,
  "epochs" | "batch_size" | "optimizer" | "lr" | "scheduler" | "warmup_epochs"
>;

/** What works well enough without any flag; found by trying, see ARCHITECTURE.md. */
const ofDigits: OfDataset = {
  epochs: 7,
  batch_size: 64,
  optimizer: "adamw",
  lr: 0.002,
  scheduler: "onecycle",
  warmup_epochs: 0,
};
const ofOthers: OfDataset = {
  epochs: 10,
  batch_size: 100,
  optimizer: "adamw",
  lr: 0.0003,
  scheduler: "cosine",
  warmup_epochs: 1,
};
/** Photographs are large: so many of ResNet-50's fit into 4 GB. */
const ofFolder: OfDataset = { ...ofOthers, batch_size: 32 };

/**
 * The YOLOv1 paper's 135 epochs and what warms up to them. Its rate of 0.01 is for batches of 64, of which few computers
 * have the memory: it becomes smaller with the batch.
 */
const ofBoxes: OfDataset = {
  epochs: 138,
  batch_size: 8,
  optimizer: "sgd",
  lr: 0.001,
  scheduler: "yolo",
  warmup_epochs: 3,
};

const ofDataset: Readonly<Record<string, OfDataset>> = { digits: ofDigits, folder: ofFolder, boxes: ofBoxes };

const ofOptimizer: Readonly<
  Record<OptimizerName, Pick<ScheduleSettings, "lr" | "momentum" | "weight_decay">>
> = {
  sgd: { lr: 0.05, momentum: 0.9, weight_decay: 5e-4 },
  adam: { lr: 0.001, momentum: 0, weight_decay: 0 },
  adamw: { lr: 0.001, momentum: 0, weight_decay: 0.01 },
  rmsprop: { lr: 0.001, momentum: 0, weight_decay: 0 },
};

function ofScheduler(scheduler: ScheduleName, epochs: number, warmup_epochs: number) {
  return {
    // One cycle has its own way up; and nobody asked for this warm-up, so a short run shortens it.
    warmup_epochs: scheduler === "onecycle"
      ? 0
      : scheduler === "yolo"
      ? epochs / 46
      : shortWarmup(warmup_epochs, epochs),
    step_size: Math.ceil(epochs / 3),
    milestones: [],
    gamma: scheduler === "exponential" ? 0.01 ** (1 / epochs) : 0.1,
    min_lr: 0,
  };
}

/** As much of a warm-up as a short run leaves room for, where nobody asked for both. */
export function shortWarmup(warmup_epochs: number, epochs: number): number {
  return Math.min(warmup_epochs, epochs / 4);
}

/** Flags that only some optimisers or schedules look at. */
const ONLY_FOR: readonly [keyof typeof scheduleFlags, "optimizer" | "scheduler", readonly string[]][] = [
  ["momentum", "optimizer", ["sgd", "rmsprop"]],
  ["nesterov", "optimizer", ["sgd"]],
  ["step-size", "scheduler", ["step"]],
  ["milestones", "scheduler", ["multistep"]],
  ["gamma", "scheduler", ["step", "multistep", "exponential"]],
  ["min-lr", "scheduler", ["cosine"]],
];

function optimizerDefaults(dataset: string, optimizer: OptimizerName) {
  const usual = ofDataset[dataset] ?? ofOthers;
  // The rate of the data set is for this optimiser; another one has its own.
  return { nesterov: false, ...ofOptimizer[optimizer], ...optimizer === usual.optimizer && { lr: usual.lr } };
}

/** The defaults of data set, optimiser and schedule, under what is given. */
export function newSchedule(dataset: string, given: Partial<ScheduleSettings>): ScheduleSettings {
  const base = { ...ofDataset[dataset] ?? ofOthers, ...given };
  return {
    ...base,
    ...optimizerDefaults(dataset, base.optimizer),
    ...ofScheduler(base.scheduler, base.epochs, base.warmup_epochs),
    ...given,
  };
}

/** Another optimiser or schedule comes with its own defaults. */
export function changedSchedule(
  dataset: string,
  before: ScheduleSettings,
  given: Partial<ScheduleSettings>,
): ScheduleSettings {
  const merged = { ...before, ...given };
  return {
    ...merged,
    ...(merged.optimizer === before.optimizer ? {} : optimizerDefaults(dataset, merged.optimizer)),
    ...(merged.scheduler === before.scheduler
      ? {}
      : ofScheduler(merged.scheduler, merged.epochs, merged.warmup_epochs)),
    ...given,
  };
}

/** Flags whose values are meant for one optimiser, and for one schedule. */
const OF_OPTIMIZER = ["lr", "weight-decay", "momentum", "nesterov"];
const OF_SCHEDULER = ["step-size", "milestones", "gamma", "min-lr"];
/** Schedules that have a way up of their own, see `ofScheduler`. */
const OWN_WARMUP: readonly ScheduleName[] = ["onecycle", "yolo"];

/** What a file says, without what it says for an optimiser or a schedule where flags name another. */
export function withoutReplaced<F extends Parsed<typeof scheduleFlags>>(file: F, flags: F): F {
  const isReplaced = (kind: "optimizer" | "scheduler") =>
    file[kind] !== undefined && flags[kind] !== undefined && flags[kind] !== file[kind];
  const replaced = [
    ...isReplaced("optimizer") ? OF_OPTIMIZER : [],
    ...isReplaced("scheduler") ? OF_SCHEDULER : [],
    ...isReplaced("scheduler") && OWN_WARMUP.includes(flags.scheduler!) ? ["warmup-epochs"] : [],
  ];
  return Object.fromEntries(Object.entries(file).filter(([name]) => !replaced.includes(name))) as F;
}

/** Throws where settings contradict each other, or where one of the flags has no effect. */
export function checkSchedule(settings: ScheduleSettings, flags: Readonly<Record<string, unknown>>): void {
  for (const [flag, kind, owners] of ONLY_FOR) {
    if (!flags[flag] || owners.includes(settings[kind])) continue;
    throw new UserError(
      `--${flag} has no effect with --${kind} ${settings[kind]}: it is for ${owners.join(", ")}`,
    );
  }
  if (settings.scheduler === "multistep" && settings.milestones.length === 0) {
    throw new UserError("--scheduler multistep needs --milestones, the epochs at which the rate drops");
  }
  const late = flags["milestones"] !== undefined &&
    settings.milestones.find((epoch) => epoch >= settings.epochs);
  if (late) throw new UserError(`--milestones ${late} is never reached in ${settings.epochs} epochs`);
  if (settings.scheduler === "cosine" && settings.min_lr > settings.lr) {
    throw new UserError(`--min-lr ${settings.min_lr} must not be above the ${settings.lr} of --lr`);
  }
  if (settings.optimizer === "sgd" && settings.nesterov && settings.momentum === 0) {
    throw new UserError("--nesterov needs a --momentum above 0");
  }
  if (settings.warmup_epochs >= settings.epochs && settings.warmup_epochs > 0) {
    throw new UserError(
      `--warmup-epochs ${settings.warmup_epochs} must be less than the ${settings.epochs} of --epochs`,
    );
  }
}

export function optimizerOf(settings: ScheduleSettings): OptimizerOptions {
  const { optimizer: name, momentum, nesterov, weight_decay } = settings;
  if (name === "sgd") return { name, momentum, nesterov, weight_decay };
  if (name === "rmsprop") return { name, momentum, weight_decay };
  return { name, weight_decay };
}

/** One of `train` where nothing else is said; of its numbers only those that decide what it keeps. */
export function usualOptimizer(name: OptimizerName): OptimizerOptions {
  return name === "sgd" || name === "rmsprop" ? { name, momentum: ofOptimizer[name].momentum } : { name };
}

/** The learning rate at a time in epochs. Warm-up counts among the epochs. */
export function learningRate(settings: ScheduleSettings, stepsPerEpoch: number): (epochs: number) => number {
  const { lr, scheduler: name, step_size, milestones, gamma, epochs, warmup_epochs, min_lr } = settings;
  // The paper's rate rises from a tenth of what it becomes.
  const warmup = { warmup: warmup_epochs, start_factor: name === "yolo" ? 0.1 : 0.01 };
  const after = epochs - warmup_epochs;
  if (name === "onecycle") {
    // One cycle is counted in steps.
    const total_steps = Math.max(2, after * stepsPerEpoch);
    const rate = schedule({
      name,
      lr,
      max_lr: lr,
      total_steps,
      warmup: warmup_epochs * stepsPerEpoch,
      start_factor: 0.01,
    });
    return (time) => rate(time * stepsPerEpoch);
  }
  const options: ScheduleOptions = name === "constant"
    ? { name, lr, ...warmup }
    : name === "step"
    ? { name, lr, step_size, gamma, ...warmup }
    : name === "multistep"
    ? { name, lr, milestones: milestones.map((epoch) => epoch - warmup_epochs), gamma, ...warmup }
    : name === "exponential"
    ? { name, lr, gamma, ...warmup }
    : name === "yolo"
    ? { name, lr, total: after, ...warmup }
    : { name, lr, T_max: after, eta_min: min_lr, ...warmup };
  return schedule(options);
}
