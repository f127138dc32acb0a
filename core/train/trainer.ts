/** The training loop, as a stream of events: the steps of an epoch, its test, the next epoch. It computes nothing itself. */
import type { Backend, Session } from "../backend/backend.ts";
import { keyOf } from "../random.ts";
import { createEvaluator, evaluateAll, type TestProgress, type TestResult } from "./evaluation.ts";
import {
  emptyEpoch,
  endOf,
  type EpochOptions,
  type Limits,
  newProgress,
  type Progress,
  stepsOf,
} from "./progress.ts";
import { type GraphOptions, runGraphs } from "./run_graphs.ts";
import { createSteps, evaluationSoFar, type StepEvent } from "./steps.ts";
import type { Evaluation, Judged, Task } from "./task.ts";

/** All that a run depends on. */
export interface TrainerOptions<Result extends Judged = TestResult>
  extends GraphOptions, EpochOptions, Limits {
  readonly backend: Backend;
  readonly task: Task<Result>;
  /** The learning rate at a time in epochs: 1.5 is halfway through the second one. */
  readonly lr: (epochs: number) => number;
  readonly seed: number;
}

/** What `train` yields: each step, how far a test is, and each epoch with its test. */
export type TrainingEvent<Result extends Judged = TestResult> =
  | StepEvent
  | ({ readonly type: "evaluate"; readonly epoch: number } & TestProgress)
  | {
    readonly type: "epoch";
    readonly epoch: number;
    readonly train: Evaluation;
    readonly test: Result;
    /** Of its first step. */
    readonly lr: number;
    /** The best so far. */
    readonly best: boolean;
    /** Share of the training steps' time (0 … 1) in which they waited for their images. */
    readonly data_wait: number;
  };

/** A run: its numbers, how far it is, and how to go on. */
export interface Trainer<Result extends Judged = TestResult> {
  readonly session: Session;
  readonly progress: Progress;
  /** Whether weights and progress belong together: not while steps are under way, and not after one that failed. */
  readonly whole: boolean;
  /**
   * Waits for the steps under way, so that weights and progress belong together. Those are told by `train` afterwards: until
   * then progress is ahead of its events.
   */
  settle(): Promise<void>;
  /** Puts the run at its beginning: draws the initial weights. */
  initialise(): Promise<void>;
  /** Trains on the next batch of the epoch under way. */
  step(): Promise<StepEvent>;
  /** Trains from where `progress` is to the end. Leaving the loop at any event leaves a state to go on from. */
  train(): AsyncGenerator<TrainingEvent<Result>>;
  /** Evaluates on the test images. */
  evaluate(onBatch?: (batch: number, batches: number) => void): Promise<Result>;
}

/** Plans the run and takes its memory. Throws `OutOfMemory`, or `ShapeError` where model and images do not fit. */
export function createTrainer<Result extends Judged>(options: TrainerOptions<Result>): Trainer<Result> {
  const session = options.backend.compile(runGraphs(options));
  const testing = createEvaluator(session, options);
  const progress = newProgress();
  // The test follows at once.
  const steps = createSteps(session, options, progress, testing.prefetch);

  async function* epoch(): AsyncGenerator<TrainingEvent<Result>> {
    const lr = options.lr(progress.epoch);
    const waitedBefore = steps.waited;
    let milliseconds = 0;
    try {
      while (true) {
        const began = performance.now();
        const event = await steps.next();
        if (!event) break;
        milliseconds += performance.now() - began;
        yield event;
      }
    } finally {
      // Whoever leaves here leaves a state to go on from.
      await steps.settle();
    }
    if (progress.step < stepsOf(options)) return;
    const data_wait = milliseconds > 0 ? (steps.waited - waitedBefore) / milliseconds : 0;
    const evaluating = testing.run();
    let next = await evaluating.next();
    for (; !next.done; next = await evaluating.next()) {
      yield { type: "evaluate", epoch: progress.epoch + 1, ...next.value };
    }
    const test = next.value;
    const train = evaluationSoFar(progress);
    const { best_epoch, best_score } = progress;
    // Of a run that was killed between two files, the best may be this very epoch, which is repeated.
    const isRepeated = best_epoch === progress.epoch + 1 && test.score === best_score;
    const best = best_epoch === 0 || test.score > best_score || isRepeated;
    Object.assign(progress, { epoch: progress.epoch + 1, ...emptyEpoch() });
    if (best) Object.assign(progress, { best_score: test.score, best_epoch: progress.epoch });
    yield { type: "epoch", epoch: progress.epoch, train, test, lr, best, data_wait };
  }

  return {
    session,
    progress,
    get whole() {
      return steps.whole;
    },
    settle: steps.settle,
    async initialise() {
      steps.prefetch();
      // Step −1: numbers that no dropout will draw again.
      session.write("init", "rng", [...keyOf(options.seed), -1, 0]);
      await session.run("init");
      Object.assign(progress, newProgress());
      steps.reset();
    },
    step: steps.one,
    async *train() {
      while (!endOf(progress, options)) yield* epoch();
    },
    evaluate: (onBatch) => evaluateAll(testing, onBatch),
  };
}
