/**
 * The training loop, as a stream of events. It computes nothing itself: a step is one run of the train graph, and
 * while the workers run it, the next batch is put together.
 */
import type { Backend, MemoryReport, Session } from "../backend/backend.ts";
import { createBatches } from "../data/batches.ts";
import { countOf, type DatasetSplit } from "../data/dataset.ts";
import type { Graph } from "../graph/graph.ts";
import type { Module } from "../nn/module.ts";
import { hyperOf, type OptimizerOptions } from "../optim/optimizer.ts";
import { diagnose } from "./diagnose.ts";
import { type BatchShape, evaluateGraph, initGraph, trainGraph } from "./graphs.ts";

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
    readonly images: number;
  }
  | { readonly type: "evaluate"; readonly epoch: number; readonly batch: number; readonly batches: number }
  | {
    readonly type: "epoch";
    readonly epoch: number;
    readonly train: Evaluation;
    readonly test: Evaluation;
    readonly lr: number;
    /** The best so far. */
    readonly best: boolean;
  };

export interface Trainer {
  readonly session: Session;
  readonly progress: Progress;
  /** Steps of one epoch. */
  readonly steps: number;
  /** Draws the initial weights. */
  initialise(): Promise<void>;
  /** Trains from where `progress` is to the last epoch. Leaving the loop at any event leaves a state to go on from. */
  train(): AsyncGenerator<TrainingEvent>;
  /** Evaluates on the test images. */
  evaluate(onBatch?: (batch: number, batches: number) => void): Promise<Evaluation>;
}

/** A step whose loss is not finite: where it began. Nothing was updated by it. */
export class NotFinite extends Error {
  override readonly name = "NotFinite";
}

/** The graphs of a run, by name. */
export function runGraphs(options: Omit<TrainerOptions, "backend">): Record<string, Graph> {
  const { model, data, batch_size, optimizer, label_smoothing } = options;
  const images = batchShape(data, batch_size);
  const train = trainGraph(model, { images, optimizer, label_smoothing });
  return { init: initGraph(model, train), train, evaluate: evaluateGraph(model, images) };
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
  const session = backend.compile(runGraphs(options));
  const training = createBatches(data.train, {
    batch_size,
    seed,
    transforms: data.transforms,
    training: true,
  });
  const testing = createBatches(data.test, {
    batch_size,
    seed,
    transforms: data.transforms,
    training: false,
  });
  const progress: Progress = {
    epoch: 0,
    step: 0,
    updates: 0,
    loss_sum: 0,
    seen: 0,
    correct: 0,
    best_accuracy: 0,
    best_epoch: 0,
  };
  const key = [seed | 0, Math.floor(seed / 2 ** 32) | 0] as const;
  const number = async (graph: string, output: string) => (await session.read(graph, output))[0]!;
  const drawsNumbers = session.inputNames("train").includes("rng");
  const lrNow = () => options.lr(progress.epoch + progress.step / training.steps);

  async function step(): Promise<TrainingEvent> {
    const lr = lrNow();
    const batch = training.batch(progress.epoch, progress.step);
    session.write("train", "pixels", batch.pixels);
    session.write("train", "moves", batch.moves);
    session.write("train", "target", batch.targets);
    session.write("train", "hyper", hyperOf(optimizer, progress.updates, lr));
    if (drawsNumbers) session.write("train", "rng", [...key, progress.updates, 0]);
    const running = session.run("train");
    if (progress.step + 1 < training.steps) training.prepare(progress.epoch, progress.step + 1);
    await running;
    const loss = await number("train", "loss");
    if (!Number.isFinite(loss)) {
      const where = await diagnose(options, session, batch);
      throw new NotFinite(
        `epoch ${progress.epoch + 1}, step ${progress.step + 1}: the loss is ${loss}; ${where}`,
      );
    }
    progress.step++;
    progress.updates++;
    progress.loss_sum += loss * batch.count;
    progress.seen += batch.count;
    progress.correct += await number("train", "correct");
    return {
      type: "step",
      epoch: progress.epoch + 1,
      step: progress.step,
      steps: training.steps,
      loss,
      accuracy: progress.correct / progress.seen,
      lr,
      images: batch.count,
    };
  }

  async function* evaluateBatches(): AsyncGenerator<number, Evaluation> {
    let lossSum = 0;
    let correct = 0;
    for (let index = 0; index < testing.steps; index++) {
      const batch = testing.batch(0, index);
      session.write("evaluate", "pixels", batch.pixels);
      session.write("evaluate", "moves", batch.moves);
      session.write("evaluate", "target", batch.targets);
      const running = session.run("evaluate");
      if (index + 1 < testing.steps) testing.prepare(0, index + 1);
      await running;
      lossSum += await number("evaluate", "loss");
      correct += await number("evaluate", "correct");
      yield index + 1;
    }
    const count = countOf(data.test);
    return { loss: lossSum / count, accuracy: correct / count };
  }

  async function* epoch(): AsyncGenerator<TrainingEvent> {
    while (progress.step < training.steps) yield await step();
    const lr = lrNow();
    const evaluating = evaluateBatches();
    let next = await evaluating.next();
    for (; !next.done; next = await evaluating.next()) {
      yield { type: "evaluate", epoch: progress.epoch + 1, batch: next.value, batches: testing.steps };
    }
    const test = next.value;
    const train = { loss: progress.loss_sum / progress.seen, accuracy: progress.correct / progress.seen };
    const best = test.accuracy > progress.best_accuracy || progress.best_epoch === 0;
    Object.assign(progress, { epoch: progress.epoch + 1, step: 0, loss_sum: 0, seen: 0, correct: 0 });
    if (best) Object.assign(progress, { best_accuracy: test.accuracy, best_epoch: progress.epoch });
    yield { type: "epoch", epoch: progress.epoch, train, test, lr, best };
  }

  return {
    session,
    progress,
    steps: training.steps,
    async initialise() {
      session.write("init", "rng", [...key, 0, 0]);
      await session.run("init");
    },
    async *train() {
      while (progress.epoch < epochs) yield* epoch();
    },
    async evaluate(onBatch) {
      const evaluating = evaluateBatches();
      let next = await evaluating.next();
      for (; !next.done; next = await evaluating.next()) onBatch?.(next.value, testing.steps);
      return next.value;
    },
  };
}

export function batchShape({ train, transforms }: DatasetSplit, batch: number): BatchShape {
  const { height, width, channels } = train;
  return { batch, height, width, channels, mean: transforms.mean, std: transforms.std };
}
