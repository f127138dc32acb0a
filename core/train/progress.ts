/** How far a run is, and when it is done. */
import { testSteps, trainSteps } from "../data/batches.ts";
import type { DatasetSplit, ImageSet } from "../data/dataset.ts";
import { UserError } from "../errors.ts";

/** All that has to be kept, beside the states, to go on as if nothing had happened. */
export interface Progress {
  /** Epochs that are finished and evaluated. */
  epoch: number;
  /** Steps taken in the epoch under way: each is one batch. */
  step: number;
  /** Batches that were trained on in all, and updates of the weights: fewer where gradients are accumulated. */
  batches: number;
  updates: number;
  /** Of the epoch under way: the sums of its losses and of the task's figures over samples, and how many samples. */
  loss_sum: number;
  figure_sums: Record<string, number>;
  seen: number;
  /** Of the evaluations so far, the highest score (0 … 1), and its epoch (counted from 1; 0 for never). */
  best_score: number;
  best_epoch: number;
}

export function newProgress(): Progress {
  return {
    epoch: 0,
    batches: 0,
    updates: 0,
    ...emptyEpoch(),
    best_score: 0,
    best_epoch: 0,
  };
}

/** What is known of an epoch before its first step. */
export function emptyEpoch(): Pick<Progress, "step" | "loss_sum" | "figure_sums" | "seen"> {
  return { step: 0, loss_sum: 0, figure_sums: {}, seen: 0 };
}

export interface Limits {
  readonly epochs: number;
  /** Updates of the weights after which training ends; 0 for no limit. */
  readonly max_steps?: number;
  /** Epochs without a better one after which training ends; 0 for no limit. */
  readonly patience?: number;
}

/** Why there is nothing more to train; undefined while there is. */
export function endOf(
  { epoch, step, updates, best_epoch }: Progress,
  { epochs, max_steps = 0, patience = 0 }: Limits,
): "epochs" | "patience" | "max_steps" | undefined {
  if (epoch >= epochs) return "epochs";
  if (max_steps > 0 && updates >= max_steps) return "max_steps";
  if (patience > 0 && step === 0 && epoch > 0 && epoch - best_epoch >= patience) return "patience";
  return undefined;
}

export interface EpochOptions {
  readonly data: DatasetSplit<ImageSet>;
  readonly batch_size: number;
  /** Batches whose gradients make one update. */
  readonly accumulate?: number;
  /** The most batches of an epoch, and of an evaluation; 0 for no limit. */
  readonly limit_batches?: number;
}

/** Steps of an epoch. Batches at its end that make no whole update are left out. */
export function stepsOf({ data, batch_size, accumulate = 1, limit_batches = 0 }: EpochOptions): number {
  const batches = limited(trainSteps(data.train, batch_size), limit_batches);
  if (batches < accumulate) {
    throw new UserError(
      `--accumulate ${accumulate}: an epoch has ${batches} batches, too few for one update; use at most ${batches}`,
    );
  }
  return batches - batches % accumulate;
}

/** Batches of an evaluation. */
export function testBatchesOf({ data, batch_size, limit_batches = 0 }: EpochOptions): number {
  return limited(testSteps(data.test, batch_size), limit_batches);
}

/** Images that an evaluation looks at, see `testedImage`. */
export function testedOf(options: EpochOptions): number {
  return Math.min(options.data.test.count, testBatchesOf(options) * options.batch_size);
}

function limited(batches: number, limit: number): number {
  return limit > 0 ? Math.min(batches, limit) : batches;
}
