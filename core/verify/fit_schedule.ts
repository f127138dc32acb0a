/** Reads a learning-rate schedule's arguments off its curve. */
import { schedule, type ScheduleName, type ScheduleOptions } from "../optim/schedule.ts";
import { maxError, maxMagnitude } from "./case.ts";
import { scheduleTolerance } from "./tolerance.ts";

type Arguments = Readonly<Record<string, unknown>>;

/** PyTorch's defaults. */
const DIV_FACTOR = 25;
const FINAL_DIV_FACTOR = 1e4;
const PCT_START = 0.3;

/**
 * The arguments with which a schedule that starts from `lr` takes the learning rates `lrs` in epochs 0, 1, 2, …, or
 * some that come near. A few epochs determine them; whether the schedule meets the others is for the caller to see.
 */
export function fitSchedule(name: ScheduleName, lr: number, lrs: readonly number[]): Arguments {
  if (name === "onecycle") return fitOneCycle(lr, lrs);
  const warmup = fitWarmup(lr, lrs);
  return { ...warmup, ...fitDecay(name, lr, lrs.slice(warmup.warmup ?? 0)) };
}

/** A schedule that starts below `lr` has a linear way up in front of it. */
function fitWarmup(lr: number, lrs: readonly number[]): { warmup?: number; start_factor?: number } {
  const [first = lr, second = lr] = lrs;
  if (first >= lr || second <= first) return {};
  return { warmup: Math.round((lr - first) / (second - first)), start_factor: first / lr };
}

function fitDecay(name: Exclude<ScheduleName, "onecycle">, lr: number, lrs: readonly number[]): Arguments {
  const changes = lrs.flatMap((value, epoch) => {
    const before = lrs[epoch - 1] ?? value;
    return Math.abs(value - before) <= 1e-12 * before ? [] : [{ epoch, ratio: value / before }];
  });
  const { epoch = lrs.length, ratio = 1 } = changes[0] ?? {};
  if (name === "constant") return {};
  if (name === "step") return { step_size: epoch, gamma: ratio };
  if (name === "exponential") return { gamma: ratio };
  if (name === "cosine") return fitCosine(lr, lrs);
  const gamma = commonRoot(changes.map(({ ratio }) => ratio));
  const powerOf = (ratio: number) => clamp(Math.round(Math.log(ratio) / Math.log(gamma)), 0, lrs.length);
  const milestones = changes.flatMap(({ epoch, ratio }) => Array(powerOf(ratio)).fill(epoch) as number[]);
  return { milestones, gamma };
}

/** The factor of which all ratios are whole powers: milestones may be repeated. */
function commonRoot(ratios: readonly number[]): number {
  const logs = ratios.map(Math.log);
  const least = logs.reduce((a, b) => Math.abs(b) < Math.abs(a) ? b : a, logs[0] ?? 0);
  const isWhole = (value: number) => Math.abs(value - Math.round(value)) < 1e-6;
  const parts = [1, 2, 3, 4].find((parts) => logs.every((log) => isWhole(log * parts / least))) ?? 1;
  return Math.exp(least / parts);
}

/** From the first two steps of lr − A · (1 − cos(π t / T)) comes T, from the longest way down A. */
function fitCosine(lr: number, lrs: readonly number[]): Arguments {
  const T_max = Math.max(1, Math.round(Math.PI / halfWave(lrs).angle));
  const drops = lrs.map((value, epoch) => ({
    drop: lr - value,
    wave: 1 - Math.cos(Math.PI * epoch / T_max),
  }));
  const { drop, wave } = drops.reduce((a, b) => b.wave > a.wave ? b : a, { drop: 0, wave: 0 });
  const eta_min = wave > 0 ? lr - 2 * drop / wave : 0;
  return { T_max, eta_min: Math.abs(eta_min) < 1e-9 * lr ? 0 : eta_min };
}

/** Of a curve a + A · (1 − cos(angle · t)) from t = 0 on: A, which is negative on the way down, and the angle. */
function halfWave([start = 0, first = start, second = first]: readonly number[]) {
  const cosine = clamp((second - start) / (2 * (first - start)) - 1);
  return { amplitude: (first - start) / (1 - cosine), angle: Math.acos(cosine) };
}

/** Tries what PyTorch's arguments usually are, and takes the first cycle that fits. */
function fitOneCycle(lr: number, lrs: readonly number[]): Arguments {
  const initial = lrs[0] ?? lr;
  const peaks = [
    DIV_FACTOR * initial,
    initial + 2 * halfWave(lrs).amplitude,
    maxMagnitude(lrs),
    10 * initial,
  ];
  const finals = [undefined, lrs.at(-1)!];
  const cycles = [false, true].flatMap((three_phase) =>
    (["cos", "linear"] as const).flatMap((anneal_strategy) =>
      peaks.flatMap((max_lr) =>
        finals.map((final) => cycleOf({ lrs, three_phase, anneal_strategy, max_lr: neat(max_lr), final }))
      )
    )
  );
  const tolerance = scheduleTolerance(maxMagnitude(lrs));
  const fits = (cycle: Arguments) => {
    const curve = schedule({ ...cycle, name: "onecycle", lr } as ScheduleOptions);
    return maxError(lrs.map((_, epoch) => curve(epoch)), lrs) <= tolerance;
  };
  return cycles.find(fits) ?? cycles[0]!;
}

interface Guess {
  readonly lrs: readonly number[];
  readonly three_phase: boolean;
  readonly anneal_strategy: "cos" | "linear";
  readonly max_lr: number;
  /** Where the last of `lrs` is that of the last step; else what PyTorch's default makes it. */
  readonly final: number | undefined;
}

/** Where the cycle's peak and end are, given how high it goes. */
function cycleOf({ lrs, three_phase, anneal_strategy, max_lr, final }: Guess): Arguments {
  const initial = lrs[0]!;
  const div_factor = max_lr / initial;
  const end = final ?? initial / FINAL_DIV_FACTOR;
  /** How far an annealing is at a learning rate, from 0 to 1. */
  const progress = (from: number, to: number, lr: number) => {
    const share = (lr - from) / (to - from);
    return anneal_strategy === "linear" ? share : Math.acos(clamp(1 - 2 * share)) / Math.PI;
  };
  const peakAt = lrs.indexOf(Math.max(...lrs));
  const low = three_phase ? initial : end;
  // Two epochs on the way down, of which progress is linear in t, tell both of its ends.
  const falling = [peakAt + 1, peakAt + 2].map((t) => progress(max_lr, low, lrs[t] ?? NaN));
  const slope = falling[1]! - falling[0]!;
  const top = peakAt > 1 ? 1 / progress(initial, max_lr, lrs[1]!) : peakAt + 1 - falling[0]! / slope;
  const bottom = peakAt + 1 + (1 - falling[0]!) / slope;
  const last = final === undefined && !three_phase ? bottom : lrs.length - 1;
  const total_steps = Number.isFinite(last) ? Math.round(last + 1) : Math.round((top + 1) / PCT_START);
  return {
    ...{ max_lr, total_steps, anneal_strategy, three_phase, div_factor: neat(div_factor) },
    pct_start: neat((top + 1) / total_steps),
    final_div_factor: neat(initial / end),
  };
}

function clamp(number: number, low = -1, high = 1): number {
  return Math.min(high, Math.max(low, number));
}

/** A number that was meant to have few digits, without what rounding added. */
function neat(number: number): number {
  const short = Number(number.toPrecision(6));
  return Math.abs(short - number) <= 1e-9 * Math.abs(number) ? short : number;
}
