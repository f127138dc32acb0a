/** Evaluates on the test images, by a session's graph `evaluate`. */
import type { Session } from "../backend/backend.ts";
import {
  allocateBatch,
  type Batch,
  DOES_NOT_COUNT,
  fillTestBatch,
  MOVES,
  testedImage,
} from "../data/batches.ts";
import { collectPredictions, type Predictions, softmax, topAccuracy } from "../metrics/predictions.ts";
import { createFeed } from "./feed.ts";
import { type EpochOptions, testBatchesOf, testedOf } from "./progress.ts";

export interface Evaluation {
  /** The mean over all samples. */
  readonly loss: number;
  /** 0 … 1 */
  readonly accuracy: number;
}

export interface TestResult extends Evaluation {
  /** How often the right class is among the five likeliest, 0 … 1. */
  readonly top5: number;
  readonly predictions: Predictions;
}

export interface EvaluatorOptions extends EpochOptions {
  /** Averages the probabilities of each image with those of its mirror image; the loss is that of the average. */
  readonly flip?: boolean;
}

/** What is known after a batch. */
export interface TestProgress {
  /** Counted from 1. */
  readonly batch: number;
  readonly batches: number;
  /** Those so far; valid until the next batch. */
  readonly predictions: Predictions;
}

export interface Evaluator {
  /** Begins to put the first batch together. */
  prefetch(): void;
  run(): AsyncGenerator<TestProgress, TestResult>;
}

const GRAPH = "evaluate";

/** `session` has the graph of `evaluateGraph`. */
export function createEvaluator(session: Session, options: EvaluatorOptions): Evaluator {
  const { data: { test }, batch_size, flip = false } = options;
  const batches = testBatchesOf(options);
  const tested = testedOf(options);
  const first = { epoch: 0, step: 0 };
  const feed = createFeed(session, GRAPH, {
    allocate: () => allocateBatch(test, batch_size),
    fill: (batch, { step }) => fillTestBatch(batch, test, step, tested),
    after: ({ step }) => step + 1 < batches ? { epoch: 0, step: step + 1 } : undefined,
    ahead: test.ahead,
  });
  const classes = test.classes.length;
  const number = async (output: string) => (await session.read(GRAPH, output))[0]!;

  return {
    prefetch: () => feed.prefetch(first),
    async *run() {
      const collector = collectPredictions(batches * batch_size, classes);
      let lossSum = 0;
      let correct = 0;
      let count = 0;
      for (let step = 0; step < batches; step++) {
        const { target, moves } = await feed.run({ epoch: 0, step });
        const probabilities = await readProbabilities(session, batch_size);
        if (flip) await addMirrored(session, moves, probabilities);
        else {
          lossSum += await number("loss");
          correct += await number("correct");
        }
        for (const [slot, wanted] of target.entries()) {
          if (wanted === DOES_NOT_COUNT) continue;
          const own = probabilities[slot]!;
          if (flip) lossSum -= Math.log(own[wanted]!);
          collector.add(testedImage(test, step * batch_size + slot, tested), wanted, own);
          count++;
        }
        yield { batch: step + 1, batches, predictions: collector.finish() };
      }
      const predictions = collector.finish();
      const accuracy = flip ? topAccuracy(predictions, 1) : correct / count;
      return { loss: lossSum / count, accuracy, top5: topAccuracy(predictions, 5), predictions };
    },
  };
}

/** Of each slot of the last batch, the softmax of its scores. */
async function readProbabilities(session: Session, batch: number): Promise<Float32Array[]> {
  const scores = await session.read(GRAPH, "scores");
  const classes = scores.length / batch;
  return Array.from({ length: batch }, (_, slot) => {
    return softmax(scores.subarray(slot * classes, (slot + 1) * classes));
  });
}

/** Runs the batch again, mirrored, and averages. */
async function addMirrored(
  session: Session,
  moves: Batch["moves"],
  probabilities: readonly Float32Array[],
): Promise<void> {
  session.write(GRAPH, "moves", moves.map((move, i) => i % MOVES === 2 ? 1 - move : move));
  await session.run(GRAPH);
  const mirrored = await readProbabilities(session, probabilities.length);
  probabilities.forEach((own, slot) => {
    for (let i = 0; i < own.length; i++) own[i] = (own[i]! + mirrored[slot]![i]!) / 2;
  });
}

/** Runs an evaluation to its end. */
export async function evaluateAll(
  evaluator: Evaluator,
  onBatch?: (batch: number, batches: number) => void,
): Promise<TestResult> {
  const running = evaluator.run();
  let next = await running.next();
  for (; !next.done; next = await running.next()) onBatch?.(next.value.batch, next.value.batches);
  return next.value;
}
