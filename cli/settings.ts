/** What a run is, from flags, from the run it resumes, and from each data set's defaults. */
import { UserError } from "../core/errors.ts";
import { type OptimizerName, optimizerNames, type OptimizerOptions } from "../core/optim/optimizer.ts";
import { schedule, type ScheduleName, scheduleNames, type ScheduleOptions } from "../core/optim/schedule.ts";
import { DATASETS } from "../host/datasets.ts";
import type { AnyModelOptions } from "../models/registry.ts";
import { exactFlag } from "./backend.ts";
import { checkData, dataDefaults, dataFlags, type DataSettings } from "./settings/data.ts";
import { oneOf, type Parsed, real, switchFlag, text, whole, wholeList } from "./arguments.ts";

/** Everything that decides a run's numbers; kept in config.json and in checkpoints. */
export interface Settings extends DataSettings {
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
  /** Whether convolutions are plain sums, never Winograd's. */
  readonly exact: boolean;
}

/** What is trained, and on what. */
export const subjectFlags = {
  model: text(
    "NAME",
    "the network, see deno task models, or a file with your own: ./my_net.ts; default resnet50",
  ),
  dataset: oneOf(
    DATASETS,
    "digits (comes with Strata, the default), mnist, cifar10, or folder: your own (default with --data)",
  ),
  data: text("PATH", "folder of your own images, or folder or archive of the named data set; default data"),
};

/** How it is trained. */
export const recipeFlags = {
  epochs: whole("passes over the training images; default 7 for digits, 10 for cifar10", { min: 1 }),
  "batch-size": whole("images a step; default 64 for digits, 100 for cifar10", { min: 1 }),
  optimizer: oneOf(optimizerNames, "sgd (default for cifar10), adam, adamw (default for digits) or rmsprop"),
  lr: real("learning rate, the highest one for onecycle; default 0.05 for sgd, 0.001 for the others", {
    min: 0,
    above: true,
  }),
  momentum: real("of sgd (default 0.9) and rmsprop (default 0)", { min: 0, max: 1 }),
  nesterov: switchFlag("Nesterov's momentum, for sgd"),
  "weight-decay": real("L2 penalty, decoupled for adamw; default 5e-4 for sgd, 0.01 for adamw, else 0", {
    min: 0,
  }),
  scheduler: oneOf(
    scheduleNames,
    "constant, step, multistep, exponential, cosine (default for cifar10) or onecycle (for digits)",
  ),
  "warmup-epochs": real(
    "epochs in which the rate first rises from a hundredth; default 1 for cifar10, else 0",
    { min: 0 },
  ),
  "step-size": whole("epochs between drops, for step; default a third of all", { min: 1 }),
  milestones: wholeList("epochs at which it drops, for multistep", { min: 1 }),
  gamma: real("factor of a drop; default 0.1, for exponential what ends at a hundredth", {
    min: 0,
    above: true,
  }),
  "min-lr": real("where cosine ends; default 0", { min: 0 }),
  "label-smoothing": real("share of each target spread over all classes; default 0", { min: 0, max: 1 }),
  seed: whole("of everything random; default 0", { min: 0 }),
  exact: exactFlag,
};

export const settingFlags = { ...subjectFlags, ...dataFlags, ...recipeFlags };

const common = {
  model: "resnet50",
  model_options: {},
  data: "data",
  nesterov: false,
  label_smoothing: 0,
  seed: 0,
  exact: false,
};

interface Defaults
  extends Pick<Settings, "epochs" | "batch_size" | "optimizer" | "scheduler" | "warmup_epochs"> {
  /** For this optimiser; another one has its own. */
  readonly lr: number;
}

/** What works well enough without any flag; found by trying, see ARCHITECTURE.md. */
const ofDigits: Defaults = {
  epochs: 7,
  batch_size: 64,
  optimizer: "adamw",
  lr: 0.002,
  scheduler: "onecycle",
  warmup_epochs: 0,
};
const ofOthers: Defaults = {
  epochs: 10,
  batch_size: 100,
  optimizer: "adamw",
  lr: 0.0003,
  scheduler: "cosine",
  warmup_epochs: 1,
};

const ofOptimizer: Readonly<
  Record<OptimizerName, Pick<Settings, "lr" | "momentum" | "weight_decay">>
> = {
  sgd: { lr: 0.05, momentum: 0.9, weight_decay: 5e-4 },
  adam: { lr: 0.001, momentum: 0, weight_decay: 0 },
  adamw: { lr: 0.001, momentum: 0, weight_decay: 0.01 },
  rmsprop: { lr: 0.001, momentum: 0, weight_decay: 0 },
};

function ofScheduler(scheduler: ScheduleName, epochs: number, warmup_epochs: number) {
  return {
    // One cycle has its own way up; and nobody asked for this warm-up, so a short run shortens it.
    warmup_epochs: scheduler === "onecycle" ? 0 : Math.min(warmup_epochs, epochs / 4),
    step_size: Math.ceil(epochs / 3),
    milestones: [],
    gamma: scheduler === "exponential" ? 0.01 ** (1 / epochs) : 0.1,
    min_lr: 0,
  };
}

/** Of a resumed run: what cannot change without making it another run. */
const FIXED = ["model", "dataset", "input", "batch_size", "optimizer", "seed"] as const;

/** Flags that only some optimisers or schedules look at. */
const ONLY_FOR: readonly [keyof typeof recipeFlags, "optimizer" | "scheduler", readonly string[]][] = [
  ["momentum", "optimizer", ["sgd", "rmsprop"]],
  ["nesterov", "optimizer", ["sgd"]],
  ["step-size", "scheduler", ["step"]],
  ["milestones", "scheduler", ["multistep"]],
  ["gamma", "scheduler", ["step", "multistep", "exponential"]],
  ["min-lr", "scheduler", ["cosine"]],
];

export type SettingFlags = Parsed<typeof settingFlags>;

/** Flags first, then the resumed run's settings, then the defaults of data set, optimiser and schedule. */
export function resolveSettings(flags: SettingFlags, resumed?: Settings): Settings {
  const given = Object.fromEntries(
    Object.entries(flags)
      .filter(([name]) => Object.hasOwn(settingFlags, name))
      .map(([name, value]) => [name.replaceAll("-", "_"), value]),
  ) as Partial<Settings>;
  const settings = resumed ? changed(resumed, given) : fresh(given);
  check(settings, flags);
  return settings;
}

function fresh(given: Partial<Settings>): Settings {
  const dataset = given.dataset ?? (given.data === undefined ? "digits" : "folder");
  const { lr, ...defaults } = dataset === "digits" ? ofDigits : ofOthers;
  const base = { dataset, ...defaults, ...given };
  return {
    ...common,
    ...dataDefaults(dataset),
    ...base,
    ...ofOptimizer[base.optimizer],
    ...(base.optimizer === defaults.optimizer ? { lr } : {}),
    ...ofScheduler(base.scheduler, base.epochs, base.warmup_epochs),
    ...given,
  };
}

function changed(resumed: Settings, given: Partial<Settings>): Settings {
  for (const name of FIXED) {
    if (given[name] === undefined || String(given[name]) === String(resumed[name])) continue;
    throw new UserError(
      `--${name.replaceAll("_", "-")} ${given[name]} does not go with --resume: that run has ${
        resumed[name]
      }`,
    );
  }
  const merged = { ...dataDefaults(resumed.dataset), ...resumed, ...given };
  if (merged.scheduler === resumed.scheduler) return merged;
  return { ...merged, ...ofScheduler(merged.scheduler, merged.epochs, merged.warmup_epochs), ...given };
}

function check(settings: Settings, flags: SettingFlags): void {
  checkData(settings, flags);
  for (const [flag, kind, owners] of ONLY_FOR) {
    if (flags[flag] === undefined || owners.includes(settings[kind])) continue;
    throw new UserError(
      `--${flag} has no effect with --${kind} ${settings[kind]}: it is for ${owners.join(", ")}`,
    );
  }
  if (settings.scheduler === "multistep" && settings.milestones.length === 0) {
    throw new UserError("--scheduler multistep needs --milestones, the epochs at which the rate drops");
  }
  if (settings.nesterov && settings.momentum === 0) {
    throw new UserError("--nesterov needs a --momentum above 0");
  }
  if (settings.warmup_epochs >= settings.epochs && settings.warmup_epochs > 0) {
    throw new UserError(
      `--warmup-epochs ${settings.warmup_epochs} must be less than the ${settings.epochs} of --epochs`,
    );
  }
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
    : { name, lr, T_max: after, eta_min: min_lr, ...warmup };
  return schedule(options);
}
