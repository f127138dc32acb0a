/** The numbers that a training step is given beside its batch: a pure function of how far the run is. */
import { hyperOf, type OptimizerOptions } from "../optim/optimizer.ts";
import { keyOf } from "../random.ts";
import type { Progress } from "./progress.ts";
import type { Task } from "./task.ts";

export interface StepNumbersOptions {
  readonly optimizer: OptimizerOptions;
  readonly seed: number;
  readonly accumulate?: number;
  /** The most that moving averages keep of what they are; 0 for none. */
  readonly ema_decay?: number;
  readonly task: Task;
  /** Height and width. */
  readonly image: readonly [number, number];
}

/** By the name of the train graph's input; a graph has those that it needs. */
export type StepNumbers = Readonly<Record<string, readonly number[]>>;

/** `lr` is the learning rate of the update that the step belongs to. */
export function stepNumbers(
  { optimizer, seed, accumulate = 1, ema_decay = 0, task, image }: StepNumbersOptions,
  { epoch, step, batches, updates }: Progress,
  lr: number,
): StepNumbers {
  const isFirst = step % accumulate === 0, isLast = (step + 1) % accumulate === 0;
  return {
    hyper: hyperOf(optimizer, updates, lr),
    factor: [isLast ? 1 : NaN],
    keep: [isFirst ? 0 : 1],
    ema_rate: [1 - emaDecay(ema_decay, updates)],
    rng: [...keyOf(seed), batches, 0],
    ...task.numbers?.({ seed, epoch, step }, image),
  };
}

/** What moving averages keep at an update: little at first, so that they soon forget the initial weights. */
function emaDecay(most: number, updates: number): number {
  return Math.min(most, (1 + updates) / (10 + updates));
}
