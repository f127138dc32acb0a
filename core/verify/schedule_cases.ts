/** Learning-rate schedules beside PyTorch's: `schedulers` of ops.json. */
import { schedule, type ScheduleName, scheduleNames, type ScheduleOptions } from "../optim/schedule.ts";
import { type Case, maxError, maxMagnitude, Missing } from "./case.ts";
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

/**
 * The schedule of an entry. Arguments that the entry leaves out and that have no default in PyTorch are read off the
 * first epochs of its own curve, which then has to be met at all others.
 */
export function optionsOf(entry: ScheduleEntry): ScheduleOptions {
  const { name, base_lr: lr, lrs, ...given } = entry;
  const letters = name.toLowerCase().replaceAll(/[^a-z]/g, "");
  const kind = scheduleNames.find((known) => letters.startsWith(known));
  if (!kind) throw new Missing(`there is no schedule ${name}`);
  const known = [...schedulesArguments[kind], "warmup", "start_factor"];
  const unknown = Object.keys(given).find((argument) => !known.includes(argument));
  if (unknown) throw new Missing(`the schedule ${kind} has no ${unknown}`);
  return { ...readOff(kind, lr, lrs), ...given, lr, name: kind } as ScheduleOptions;
}

function readOff(
  kind: ScheduleOptions["name"],
  lr: number,
  lrs: readonly number[],
): Partial<ScheduleOptions> {
  const drops = lrs.flatMap((value, epoch) => epoch > 0 && value !== lrs[epoch - 1] ? [epoch] : []);
  const firstDrop = drops[0] ?? lrs.length;
  const ratio = (epoch: number) => (lrs[epoch] ?? lr) / (lrs[epoch - 1] ?? lr);
  switch (kind) {
    case "constant":
      return {};
    case "step":
      return { step_size: firstDrop, gamma: ratio(firstDrop) };
    case "multistep":
      return { milestones: drops, gamma: ratio(firstDrop) };
    case "exponential":
      return { gamma: ratio(1) };
    case "cosine":
      return { T_max: Math.round(Math.PI / Math.acos(2 * (lrs[1] ?? lr) / lr - 1)) };
    case "onecycle": {
      const max_lr = (lrs[0] ?? lr) * 25;
      const rise = ((lrs[1] ?? lr) - max_lr / 25) / (max_lr - max_lr / 25);
      const top = Math.PI / Math.acos(1 - 2 * rise);
      return { max_lr, total_steps: Math.round((top + 1) / 0.3) };
    }
  }
}
