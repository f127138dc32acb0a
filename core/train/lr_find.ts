/** The learning-rate range test (Smith 2017): a training whose rate rises from step to step, until its loss blows up. */
import { NotFinite } from "./not_finite.ts";
import { emptyEpoch, type Progress, stepsOf } from "./progress.ts";
import type { Trainer, TrainerOptions } from "./trainer.ts";

export interface LrPoint {
  readonly lr: number;
  readonly loss: number;
  /** A moving average over the updates so far. */
  readonly smoothed: number;
}

export interface Sweep {
  readonly from: number;
  readonly to: number;
  /** Updates from one to the other. */
  readonly updates: number;
}

export const usualSweep: Sweep = { from: 1e-7, to: 10, updates: 100 };

/** Where the loss has risen to this many times its lowest, the sweep ends. */
const BLOWN_UP = 4;
/** What the moving average keeps. */
const KEEP = 0.9;
/** Points at the start whose average says too little. */
const TOO_EARLY = 5;

/** The options of the trainer that sweeps. */
export function sweepOptions(options: TrainerOptions, { from, to, updates }: Sweep): TrainerOptions {
  const perEpoch = stepsOf(options) / (options.accumulate ?? 1);
  return { ...options, lr: (time) => from * (to / from) ** (time * perEpoch / (updates - 1)) };
}

/**
 * Trains with rising rates, from the weights that the session has, and leaves spoilt ones. Throws `NotFinite` where the loss
 * is not even at the first.
 */
export async function* sweep(
  trainer: Trainer,
  { updates }: Sweep,
  accumulate = 1,
): AsyncGenerator<LrPoint> {
  const { progress } = trainer;
  let average = 0, lowest = Infinity;
  for (let update = 0; update < updates; update++) {
    let sum = 0, lr = 0;
    for (let batch = 0; batch < accumulate; batch++) {
      try {
        const event = await trainer.step();
        sum += event.loss;
        lr = event.lr;
        if (event.step === event.steps) beginEpoch(progress);
      } catch (error) {
        if (error instanceof NotFinite && update > 0) return;
        throw error;
      }
    }
    const loss = sum / accumulate;
    average = KEEP * average + (1 - KEEP) * loss;
    const smoothed = average / (1 - KEEP ** (update + 1));
    yield { lr, loss, smoothed };
    lowest = Math.min(lowest, smoothed);
    if (update >= TOO_EARLY && smoothed > BLOWN_UP * lowest) return;
  }
}

function beginEpoch(progress: Progress): void {
  Object.assign(progress, { epoch: progress.epoch + 1, ...emptyEpoch() });
}

export interface Suggestion {
  /** Where the loss falls most steeply: a good rate to train with. */
  readonly steepest: number;
  /** Where it is lowest: already too high. */
  readonly lowest: number;
}

/** Undefined where the loss never falls. */
export function suggest(points: readonly LrPoint[]): Suggestion | undefined {
  const lowest = points.reduce((best, point, i) => point.smoothed < points[best]!.smoothed ? i : best, 0);
  let steepest: number | undefined;
  let slope = 0;
  for (let i = TOO_EARLY; i < lowest; i++) {
    const [before, after] = [points[i - 1], points[i + 1]];
    if (!before || !after) continue;
    const fall = (after.smoothed - before.smoothed) / Math.log(after.lr / before.lr);
    if (fall < slope) [slope, steepest] = [fall, i];
  }
  return steepest === undefined ? undefined : { steepest: points[steepest]!.lr, lowest: points[lowest]!.lr };
}
