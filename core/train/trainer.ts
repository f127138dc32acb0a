/**
 * The training loop, as a stream of events. It computes nothing itself: a step is one run of the train graph, and
 * while the workers run it, the next batch is put together.
 */
import type { Backend, MemoryReport, Session } from "../backend/backend.ts";
import {
  allocateBatch,
  type Batch,
  DOES_NOT_COUNT,
  fillTestBatch,
  fillTrainBatch,
  testSteps,
  trainSteps,
} from "../data/batches.ts";
import { countOf, type DatasetSplit } from "../data/dataset.ts";
import type { Graph } from "../graph/graph.ts";
import type { Module } from "../nn/module.ts";
import { keyOf, permutation } from "../random.ts";
import { hyperOf, type OptimizerOptions } from "../optim/optimizer.ts";
import { diagnose } from "./diagnose.ts";
import { createFeed, type Place } from "./feed.ts";
import { type BatchShape, sessionGraphs } from "./graphs.ts";

export interface TrainerOptions {
  readonly backend: Backend;
  readonly model: Module;
  readonly data: DatasetSplit;
  readonly batch_size: number;
  readonly epochs: number;
  readonly optimizer: OptimizerOptions;
  /** The learning rate at a time in epochs: 1.5 is halfway through the second one. */
  readonly lr: (epochs: number) => number;
  readonly label_smoothing: number;
  readonly seed: number;
}

/** How far a run is: all that has to be kept, beside the states, to go on as if nothing had happened. */
export interface Progress {
  /** Epochs that are finished and evaluated. */
  epoch: number;
  /** Steps taken in the epoch under way. */
  step: number;
  /** Steps taken in all. */
  updates: number;
  /** Of the epoch under way: the sum of its losses over samples, the samples, and how many of them were right. */
  loss_sum: number;
  seen: number;
  correct: number;
  /** Of the epochs so far, the highest test accuracy (0 … 1), and when it was reached (counted from 1; 0 for never). */
  best_accuracy: number;
  best_epoch: number;
}

export interface Evaluation {
  /** The mean over all samples. */
  readonly loss: number;
  /** 0 … 1 */
  readonly accuracy: number;
}

export type TrainingEvent =
  | {
    readonly type: "step";
    /** Counted from 1. */
    readonly epoch: number;
    readonly step: number;
    readonly steps: number;
    readonly loss: number;
    /** Of the epoch so far, 0 … 1. */
    readonly accuracy: number;
    readonly lr: number;
  }
  | {
    /** A batch has been tested: the session's graph "evaluate" has its scores until the trainer goes on. */
    readonly type: "evaluate";
    readonly epoch: number;
    /** Counted from 1. */
    readonly batch: number;
    readonly batches: number;
    /** The class of each of its images, or `DOES_NOT_COUNT`. */
    readonly target: Int32Array;
  }
  | {
    readonly type: "epoch";
    readonly epoch: number;
    readonly train: Evaluation;
    readonly test: Evaluation;
    /** Of its first step. */
    readonly lr: number;
    /** The best so far. */
    readonly best: boolean;
    /** Share of the training steps' time (0 … 1) in which they waited for their images. */
    readonly data_wait: number;
  };

export interface Trainer {
  readonly session: Session;
  readonly progress: Progress;
  /** Puts the run at its beginning: draws the initial weights. */
  initialise(): Promise<void>;
  /** Trains from where `progress` is to the last epoch. Leaving the loop at any event leaves a state to go on from. */
  train(): AsyncGenerator<TrainingEvent>;
  /** Evaluates on the test images. */
  evaluate(onBatch?: (batch: number, batches: number) => void): Promise<Evaluation>;
}

/** A loss or a weight that is not finite: where it began. The step that noticed it updated no weight. */
export class NotFinite extends Error {
  override readonly name = "NotFinite";
}

/** The graphs of a run, by name. */
export function runGraphs(options: Omit<TrainerOptions, "backend">): Record<string, Graph> {
  const { model, data, batch_size, optimizer, label_smoothing } = options;
  return sessionGraphs(model, { images: batchShape(data, batch_size), optimizer, label_smoothing });
}

/** What a run would take. */
export function measureRun(options: TrainerOptions): MemoryReport {
  return options.backend.measure(runGraphs(options));
}

/** The largest batch that fits into `available` bytes, 0 if not even one image does. */
export function largestBatch(options: TrainerOptions, available: number): number {
  const fits = (batch_size: number) => {
    try {
      return measureRun({ ...options, batch_size }).totalBytes <= available;
    } catch {
      return false; // Too small for a batch norm, for one.
    }
  };
  let low = 0;
  let high = options.batch_size;
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2);
    if (fits(middle)) low = middle;
    else high = middle;
  }
  return low;
}

/** Plans the run and takes its memory. Throws `OutOfMemory`, or `ShapeError` where model and images do not fit. */
export function createTrainer(options: TrainerOptions): Trainer {
  const { backend, data, batch_size, epochs, optimizer, seed } = options;
  const steps = trainSteps(data.train, batch_size);
  const batches = testSteps(data.test, batch_size);
  const session = backend.compile(runGraphs(options));
  const training = createFeed(session, "train", {
    allocate: () => allocateBatch(data.train, batch_size),
    fill: trainFiller(options),
    after: ({ epoch, step }) =>
      step + 1 < steps
        ? { epoch, step: step + 1 }
        : epoch + 1 < epochs
        ? { epoch: epoch + 1, step: 0 }
        : undefined,
    ahead: data.train.ahead,
  });
  const testing = createFeed(session, "evaluate", {
    allocate: () => allocateBatch(data.test, batch_size),
    fill: (batch, { step }) => fillTestBatch(batch, data.test, step),
    after: ({ step }) => step + 1 < batches ? { epoch: 0, step: step + 1 } : undefined,
    ahead: data.test.ahead,
  });
  const key = keyOf(seed);
  const drawsNumbers = session.inputNames("train").includes("rng");
  const progress = newProgress();
  const number = async (graph: string, output: string) => (await session.read(graph, output))[0]!;

  async function step(): Promise<TrainingEvent> {
    const place = { epoch: progress.epoch, step: progress.step };
    const lr = options.lr(progress.epoch + progress.step / steps);
    session.write("train", "hyper", hyperOf(optimizer, progress.updates, lr));
    const rng = [...key, progress.updates, 0];
    if (drawsNumbers) session.write("train", "rng", rng);
    // The test follows at once.
    if (place.step + 1 === steps) testing.prefetch({ epoch: 0, step: 0 });
    await training.run(place);
    const loss = await number("train", "loss");
    if (!Number.isFinite(loss)) {
      const cause = await diagnose(options, session, { place, rng });
      throw new NotFinite(`epoch ${place.epoch + 1}, step ${place.step + 1}: the loss is ${loss}; ${cause}`);
    }
    progress.step++;
    progress.updates++;
    progress.loss_sum += loss * batch_size;
    progress.seen += batch_size;
    progress.correct += await number("train", "correct");
    const accuracy = progress.correct / progress.seen;
    return { type: "step", epoch: place.epoch + 1, step: progress.step, steps, loss, accuracy, lr };
  }

  async function* evaluateBatches(): AsyncGenerator<{ batch: number; target: Int32Array }, Evaluation> {
    let lossSum = 0;
    let correct = 0;
    let count = 0;
    for (let step = 0; step < batches; step++) {
      const { target } = await testing.run({ epoch: 0, step });
      lossSum += await number("evaluate", "loss");
      correct += await number("evaluate", "correct");
      for (const wanted of target) if (wanted !== DOES_NOT_COUNT) count++;
      yield { batch: step + 1, target };
    }
    return { loss: lossSum / count, accuracy: correct / count };
  }

  async function* epoch(): AsyncGenerator<TrainingEvent> {
    const lr = options.lr(progress.epoch);
    const waitedBefore = training.waited;
    let milliseconds = 0;
    while (progress.step < steps) {
      const began = performance.now();
      const event = await step();
      milliseconds += performance.now() - began;
      yield event;
    }
    const data_wait = milliseconds > 0 ? (training.waited - waitedBefore) / milliseconds : 0;
    const evaluating = evaluateBatches();
    let next = await evaluating.next();
    for (; !next.done; next = await evaluating.next()) {
      yield { type: "evaluate", epoch: progress.epoch + 1, ...next.value, batches };
    }
    const test = next.value;
    const train = { loss: progress.loss_sum / progress.seen, accuracy: progress.correct / progress.seen };
    const best = progress.best_epoch === 0 || test.accuracy > progress.best_accuracy;
    Object.assign(progress, { epoch: progress.epoch + 1, step: 0, loss_sum: 0, seen: 0, correct: 0 });
    if (best) Object.assign(progress, { best_accuracy: test.accuracy, best_epoch: progress.epoch });
    yield { type: "epoch", epoch: progress.epoch, train, test, lr, best, data_wait };
  }

  return {
    session,
    progress,
    async initialise() {
      // Step −1: numbers that no dropout will draw again.
      session.write("init", "rng", [...key, -1, 0]);
      await session.run("init");
      Object.assign(progress, newProgress());
      training.prefetch({ epoch: 0, step: 0 });
    },
    async *train() {
      while (progress.epoch < epochs) yield* epoch();
    },
    async evaluate(onBatch) {
      const evaluating = evaluateBatches();
      let next = await evaluating.next();
      for (; !next.done; next = await evaluating.next()) onBatch?.(next.value.batch, batches);
      return next.value;
    },
  };
}

function newProgress(): Progress {
  return { epoch: 0, step: 0, updates: 0, loss_sum: 0, seen: 0, correct: 0, best_accuracy: 0, best_epoch: 0 };
}

/** Fills training batches, with the order of the epoch at hand. */
export function trainFiller({ data, seed }: Pick<TrainerOptions, "data" | "seed">) {
  let order: { epoch: number; samples: Uint32Array } = { epoch: -1, samples: new Uint32Array() };
  return (batch: Batch, { epoch, step }: Place): void | Promise<void> => {
    if (order.epoch !== epoch) order = { epoch, samples: permutation(countOf(data.train), seed, epoch) };
    return fillTrainBatch(batch, data.train, { seed, epoch, step, order: order.samples });
  };
}

export function batchShape({ train, normalize }: DatasetSplit, batch: number): BatchShape {
  const { height, width, channels } = train;
  return { batch, height, width, channels, ...normalize };
}
