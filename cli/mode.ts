/** What `train` is to do: a run, or to try or test something of one. */
import { UserError } from "../core/errors.ts";
import type { Parsed } from "./arguments.ts";
import type { trainFlags } from "./train_flags.ts";

export type Mode = "train" | "evaluate" | "dry-run" | "lr-find";

type Given = Parsed<typeof trainFlags>;

/** Throws where flags name two, or one that does not go with the others. */
export function modeOf(given: Given): Mode {
  const modes = (["evaluate-only", "dry-run", "lr-find"] as const).filter((mode) => given[mode]);
  if (modes.length > 1) throw new UserError(`--${modes.join(" and --")} do not go together: give one`);
  const [mode] = modes;
  if (mode === undefined) return "train";
  if (given.dashboard !== undefined) {
    throw new UserError(`--dashboard does not go with --${mode}: it shows a run that trains`);
  }
  if (mode === "evaluate-only") {
    if (!given.resume) throw new UserError("--evaluate-only needs --resume, the weights to test");
    if (given.resume === "auto") {
      throw new UserError("--resume auto is for runs to go on with; --evaluate-only needs the folder of one");
    }
    return "evaluate";
  }
  if (given.resume) {
    throw new UserError(`--${mode} does not go with --resume: it tries what a new run would do`);
  }
  return mode;
}

const LIMITS = ["max-time", "max-steps", "early-stop", "patience"] as const;
const STEPS = ["save-every-minutes", "print-every"] as const;
const EPOCHS = ["save-top-k", "save-every"] as const;
const RATES = [
  "epochs",
  "scheduler",
  "warmup-epochs",
  "min-lr",
  "step-size",
  "milestones",
  "gamma",
] as const;

/** Flags of a whole run that a mode makes no use of. */
const IDLE = {
  train: [],
  evaluate: ["output", ...LIMITS, ...STEPS, ...EPOCHS],
  "dry-run": [...LIMITS, ...STEPS],
  "lr-find": ["no-pictures", ...RATES, ...LIMITS, ...STEPS, ...EPOCHS],
} as const satisfies Record<Mode, readonly (keyof Given)[]>;

/** These are no mistakes: a trial is the run's own command with one flag more. */
export function tellOfIdle(mode: Mode, given: Given): void {
  const idle = IDLE[mode].filter((flag) => given[flag] !== undefined).map((flag) => `--${flag}`);
  const verb = idle.length === 1 ? "has" : "have";
  const flag = mode === "evaluate" ? "evaluate-only" : mode;
  if (idle.length > 0) console.error(`Note: ${idle.join(", ")} ${verb} no effect with --${flag}`);
}
