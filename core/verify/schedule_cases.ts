/** Learning-rate schedules beside PyTorch's: `schedulers` of ops.json. */
import { schedule, type ScheduleName, scheduleNames, type ScheduleOptions } from "../optim/schedule.ts";
import { type Case, maxError, maxMagnitude, Missing } from "./case.ts";
import { fitSchedule } from "./fit_schedule.ts";
import { type Golden, list } from "./golden.ts";
import { scheduleTolerance } from "./tolerance.ts";

/** An entry may carry the schedule's own arguments under PyTorch's names, beside these. */
export interface ScheduleEntry {
  /** The schedule, such as `cosine`; more may follow, as in `cosine_2`. */
  readonly name: string;
  readonly base_lr: number;
  /** Learning rates of epochs 0, 1, 2, … */
  readonly lrs: readonly number[];
  readonly [argument: string]: unknown;
}

const schedulesArguments: Record<ScheduleName, readonly string[]> = {
  constant: [],
  step: ["step_size", "gamma"],
  multistep: ["milestones", "gamma"],
  exponential: ["gamma"],
  cosine: ["T_max", "eta_min"],
  yolo: ["total"],
  onecycle: [
    "max_lr",
    "total_steps",
    "pct_start",
    "anneal_strategy",
    "div_factor",
    "final_div_factor",
    "three_phase",
  ],
};

/** A case for each entry of `schedulers`. */
export function scheduleCases(golden: Golden): Case[] {
  return list<ScheduleEntry>(golden, "ops", "schedulers").map((entry) => ({
    name: `schedule/${entry.name}`,
    run: () => {
      const lr = schedule(optionsOf(entry));
      const error = maxError(entry.lrs.map((_, epoch) => lr(epoch)), entry.lrs);
      return Promise.resolve([{ what: "lr", error, tolerance: scheduleTolerance(maxMagnitude(entry.lrs)) }]);
    },
  }));
}

/** Longer names first: `multistep` holds `step`. */
const byLength = scheduleNames.toSorted((a, b) => b.length - a.length);

/** The schedule that a name is about, wherever the word stands in it. */
function kindOf(name: string): ScheduleName {
  const letters = name.toLowerCase().replaceAll(/[^a-z]/g, "");
  const found = letters.includes("restart") ? undefined : byLength.find((known) => letters.includes(known));
  if (found) return found;
  if (letters.includes("warmup") || letters.startsWith("linear")) return "constant";
  throw new Missing(`there is no schedule ${name}`);
}

/** Arguments that have no default in PyTorch. */
const REQUIRED = ["step_size", "milestones", "T_max", "max_lr", "total_steps"];

/**
 * The schedule of an entry. Where the entry carries no arguments, they are read off a few epochs of its own curve, which
 * then has to be met at all others; where it carries some, those that it leaves out have PyTorch's defaults.
 */
export function optionsOf(entry: ScheduleEntry): ScheduleOptions {
  const { name, base_lr: lr, lrs, ...given } = entry;
  const kind = kindOf(name);
  const known = [...schedulesArguments[kind], "warmup", "start_factor"];
  const unknown = Object.keys(given).find((argument) => !known.includes(argument));
  if (unknown) throw new Missing(`the schedule ${kind} has no ${unknown}`);
  const none = Object.keys(given).length === 0;
  const fitted = Object.entries(fitSchedule(kind, lr, lrs))
    .filter(([argument]) =>
      none || REQUIRED.includes(argument) || (kind === "exponential" && argument === "gamma")
    );
  return { ...Object.fromEntries(fitted), ...given, lr, name: kind } as ScheduleOptions;
}
