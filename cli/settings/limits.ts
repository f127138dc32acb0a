/** Shorter runs: what ends one early, and how little of the data it sees. */
import { UserError } from "../../core/errors.ts";
import type { Limits } from "../../core/train/progress.ts";
import { type Flag, type Parsed, switchFlag, whole } from "../arguments.ts";

/** A number that is 0 stands for no limit. */
export interface LimitSettings {
  readonly early_stop: boolean;
  readonly patience: number;
  /** Seconds. */
  readonly max_time: number;
  readonly max_steps: number;
  readonly limit_batches: number;
  readonly overfit_batches: number;
}

const time: Flag<number> = {
  value: "TIME",
  help: "ends after so long: 90s, 30m, 1h30m or 1:30:00",
  parse(given, flag) {
    const seconds = secondsOf(given);
    if (seconds !== undefined) return seconds;
    throw new UserError(`${flag} must be a time such as 90s, 30m, 1h30m or 1:30:00, not "${given}"`);
  },
};

/** Undefined where the text is no time. A number without a unit is in seconds. */
function secondsOf(text: string): number | undefined {
  if (/^\d+(\.\d+)?$/.test(text)) return Number(text);
  const clock = /^(?:(\d+):)?(\d{1,2}):(\d{2})$/.exec(text);
  if (clock) return 3600 * Number(clock[1] ?? 0) + 60 * Number(clock[2]) + Number(clock[3]);
  const units = /^(?:([\d.]+)d)?(?:([\d.]+)h)?(?:([\d.]+)m(?:in)?)?(?:([\d.]+)s)?$/.exec(text);
  const values = units?.slice(1).map((value) => Number(value ?? 0)) ?? [];
  const [days, hours, minutes, seconds] = values as [number, number, number, number];
  const total = 86400 * days + 3600 * hours + 60 * minutes + seconds;
  return text !== "" && Number.isFinite(total) ? total : undefined;
}

export const limitFlags = {
  "early-stop": switchFlag("ends when no epoch is better for --patience epochs"),
  patience: whole("epochs that --early-stop waits; 10", { min: 1 }),
  "max-time": time,
  "max-steps": whole("ends after so many updates of the weights", { min: 0 }),
  "limit-batches": whole("trains and tests on so many batches an epoch", { min: 0 }),
  "overfit-batches": whole("trains and tests on the same few batches, unmoved", { min: 0 }),
};

export const limitDefaults: LimitSettings = {
  early_stop: false,
  patience: 10,
  max_time: 0,
  max_steps: 0,
  limit_batches: 0,
  overfit_batches: 0,
};

/** What ends a training; older runs have no such limits. */
export function limitsOf(
  { epochs, early_stop, patience, max_steps }: Partial<LimitSettings> & { readonly epochs: number },
): Limits {
  return { epochs, max_steps: max_steps ?? 0, patience: early_stop ? patience ?? 0 : 0 };
}

/** Patience asks for an early stop. */
export function withEarlyStop<F extends Parsed<typeof limitFlags>>(given: F): F {
  return given.patience !== undefined && given["early-stop"] === undefined
    ? { ...given, "early-stop": true }
    : given;
}

/** Throws where limits contradict each other. */
export function checkLimits(
  settings: LimitSettings & { readonly mixup: number; readonly cutmix: number },
  flags: Readonly<Record<string, unknown>>,
): void {
  if (flags["patience"] !== undefined && !settings.early_stop) {
    throw new UserError("--patience has no effect with --no-early-stop");
  }
  if (settings.overfit_batches === 0) return;
  if (settings.limit_batches > 0) {
    throw new UserError(
      "--overfit-batches and --limit-batches both say how many batches there are: give one",
    );
  }
  if (settings.mixup > 0 || settings.cutmix > 0) {
    throw new UserError("--overfit-batches shows images as they are: leave out --mixup and --cutmix");
  }
}
