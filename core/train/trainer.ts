/**
 * The training loop, as a stream of events. It computes nothing itself: a step is one run of the train graph, and
 * while that runs, the next batch is put together. As many steps are under way as the backend would have: their losses
 * are read late, and those after a step that failed change nothing, see op latch.
 */
import type { Backend, ReadOutput, Session } from "../backend/backend.ts";
import { allocateBatch, type Batch, fillTrainBatch } from "../data/batches.ts";
import { keyOf, permutation } from "../random.ts";
import { diagnose } from "./diagnose.ts";
import { createEvaluator, evaluateAll, type TestProgress, type TestResult } from "./evaluation.ts";
import { createFeed, type Place } from "./feed.ts";
import { NotFinite } from "./not_finite.ts";
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
import { type StepNumbers, stepNumbers } from "./step_numbers.ts";
import type { Evaluation, Figures, Judged, Task } from "./task.ts";

/** All that a run depends on. */
export interface TrainerOptions<Result extends Judged = TestResult>
  extends GraphOptions, EpochOptions, Limits {
  readonly backend: Backend;
  readonly task: Task<Result>;
  /** The learning rate at a time in epochs: 1.5 is halfway through the second one. */
  readonly lr: (epochs: number) => number;
  readonly seed: number;
}

export interface StepEvent {
  readonly type: "step";
  /** Counted from 1. */
  readonly epoch: number;
  readonly step: number;
  readonly steps: number;
  /** Steps of the run so far, this one among them. */
  readonly batches: number;
  readonly loss: number;
  /** Of this step alone, and of the epoch so far. */
  readonly own: Figures;
  readonly figures: Figures;
  readonly lr: number;
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

/** A step that has begun. */
interface Begun {
  readonly place: Place;
  readonly numbers: StepNumbers;
  readonly lr: number;
  readonly read: ReadOutput;
}

/** Plans the run and takes its memory. Throws `OutOfMemory`, or `ShapeError` where model and images do not fit. */
export function createTrainer<Result extends Judged>(options: TrainerOptions<Result>): Trainer<Result> {
  const { backend, data, batch_size, epochs, accumulate = 1, seed, task } = options;
  const steps = stepsOf(options);
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
  const testing = createEvaluator(session, options);
  const inputs = session.inputNames("train");
  const clips = (options.clip_grad ?? 0) > 0;
  const image = [data.train.height, data.train.width] as const;
  const progress = newProgress();
  /** Steps that have begun and were not read yet, the oldest first. */
  let underWay: Begun[] = [];
  /** Steps that were read and not told yet. */
  let read: StepEvent[] = [];
  /** Whether all steps that were read ended well. */
  let sound = true;

  /** How far the run is once all that has begun has ended. */
  function ahead(): Progress {
    const step = progress.step + underWay.length;
    const updates = Math.floor(step / accumulate) - Math.floor(progress.step / accumulate);
    return {
      ...progress,
      step,
      batches: progress.batches + underWay.length,
      updates: progress.updates + updates,
    };
  }

  /** Begins the step that follows those under way. */
  async function begin(): Promise<void> {
    const reached = ahead();
    const place = { epoch: reached.epoch, step: reached.step };
    // All batches of an update have the learning rate of the first.
    const lr = options.lr(place.epoch + (place.step - place.step % accumulate) / steps);
    const numbers = stepNumbers({ ...options, image }, reached, lr);
    // Whatever goes wrong with data goes wrong before anything is written.
    await training.ready(place);
    for (const input of inputs) if (numbers[input]) session.write("train", input, numbers[input]);
    const { read } = await training.begin(place);
    underWay.push({ place, numbers, lr, read });
    // The test follows at once.
    if (place.step + 1 === steps) testing.prefetch();
  }

  /** Reads the oldest step under way. */
  async function end(): Promise<StepEvent> {
    const { place, numbers, lr, read } = underWay[0]!;
    const number = async (output: string) => (await read(output))[0]!;
    sound = false;
    const loss = await number("loss");
    if (!Number.isFinite(loss)) await fail("the loss", loss, place, numbers);
    const norm = clips ? await number("grad_norm") : 0;
    if (!Number.isFinite(norm)) await fail("the norm of the gradients", norm, place, numbers);
    const tally = await task.tally(read, batch_size, numbers);
    underWay.shift();
    progress.step++;
    progress.batches++;
    if (progress.step % accumulate === 0) progress.updates++;
    for (const [name, sum] of Object.entries(tally)) {
      progress.figure_sums[name] = (progress.figure_sums[name] ?? 0) + sum;
    }
    progress.loss_sum += loss * batch_size;
    progress.seen += batch_size;
    sound = true;
    const own = means(tally, batch_size);
    const { figures } = soFar();
    const { step, batches } = progress;
    return { type: "step", epoch: place.epoch + 1, step, steps, batches, loss, own, figures, lr };
  }

  /** Reads all steps under way, so that progress is that of the weights. Nothing is, after a step that failed. */
  async function settle(): Promise<void> {
    while (sound && underWay.length > 0) read.push(await end());
  }

  /** Begins steps of the epoch, as many as should be under way, and reads the oldest; undefined where none is left. */
  async function nextStep(): Promise<StepEvent | undefined> {
    const mayBegin = () => {
      const reached = ahead();
      return underWay.length < session.depth("train") && reached.step < steps && !endOf(reached, options);
    };
    if (read.length === 0) {
      while (mayBegin()) await begin();
      if (underWay.length > 0) read.push(await end());
    }
    return read.shift();
  }

  /** Means over the samples of the epoch under way. */
  function soFar(): Evaluation {
    const { loss_sum, figure_sums, seen } = progress;
    return { loss: loss_sum / seen, figures: means(figure_sums, seen) };
  }

  async function fail(what: string, value: number, place: Place, numbers: StepNumbers): Promise<never> {
    const cause = await diagnose(options, session, { place, numbers });
    throw new NotFinite(`epoch ${place.epoch + 1}, step ${place.step + 1}: ${what} is ${value}; ${cause}`);
  }

  async function* epoch(): AsyncGenerator<TrainingEvent<Result>> {
    const lr = options.lr(progress.epoch);
    const waitedBefore = training.waited;
    let milliseconds = 0;
    try {
      while (true) {
        const began = performance.now();
        const event = await nextStep();
        if (!event) break;
        milliseconds += performance.now() - began;
        yield event;
      }
    } finally {
      // Whoever leaves here leaves a state to go on from.
      await settle();
    }
    if (progress.step < steps) return;
    const data_wait = milliseconds > 0 ? (training.waited - waitedBefore) / milliseconds : 0;
    const evaluating = testing.run();
    let next = await evaluating.next();
    for (; !next.done; next = await evaluating.next()) {
      yield { type: "evaluate", epoch: progress.epoch + 1, ...next.value };
    }
    const test = next.value;
    const train = soFar();
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
      return sound && underWay.length === 0;
    },
    settle,
    async initialise() {
      training.prefetch({ epoch: 0, step: 0 });
      // Step −1: numbers that no dropout will draw again.
      session.write("init", "rng", [...keyOf(seed), -1, 0]);
      await session.run("init");
      Object.assign(progress, newProgress());
      [underWay, read, sound] = [[], [], true];
    },
    async step() {
      await begin();
      await settle();
      return read.pop()!;
    },
    async *train() {
      while (!endOf(progress, options)) yield* epoch();
    },
    evaluate: (onBatch) => evaluateAll(testing, onBatch),
  };
}

function means(sums: Figures, count: number): Figures {
  return Object.fromEntries(Object.entries(sums).map(([name, sum]) => [name, sum / count]));
}

/** Fills training batches, with the order of the epoch at hand. */
export function trainFiller({ data, seed }: Pick<TrainerOptions, "data" | "seed">) {
  let order: { epoch: number; samples: Uint32Array } = { epoch: -1, samples: new Uint32Array() };
  return (batch: Batch, { epoch, step }: Place): void | Promise<void> => {
    if (order.epoch !== epoch) order = { epoch, samples: permutation(data.train.count, seed, epoch) };
    return fillTrainBatch(batch, data.train, { seed, epoch, step, order: order.samples });
  };
}
