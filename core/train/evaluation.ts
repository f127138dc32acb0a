/** Evaluates on the test images, by a session's graph `evaluate`. */
import type { Session } from "../backend/backend.ts";
import { allocateBatch, fillTestBatch, testedImage } from "../data/batches.ts";
import type { Answers } from "./answers.ts";
import type { ClassificationResult } from "./classification.ts";
import type { DetectionResult } from "./detection.ts";
import { createFeed } from "./feed.ts";
import { type EpochOptions, testBatchesOf, testedOf } from "./progress.ts";
import type { Answered, Judged, Task } from "./task.ts";

/** Of any task. */
export type TestResult = ClassificationResult | DetectionResult;

export interface EvaluatorOptions<Result extends Judged> extends EpochOptions {
  readonly task: Task<Result>;
}

/** What is known after a batch. */
export interface TestProgress {
  /** Counted from 1. */
  readonly batch: number;
  readonly batches: number;
  /** Those so far; valid until the next batch. */
  readonly answers: Answers;
}

export interface Evaluator<Result extends Judged = Judged> {
  /** Begins to put the first batch together. */
  prefetch(): void;
  run(): AsyncGenerator<TestProgress, Result>;
}

const GRAPH = "evaluate";

/** `session` has the graph of `evaluateGraph`. */
export function createEvaluator<Result extends Judged>(
  session: Session,
  options: EvaluatorOptions<Result>,
): Evaluator<Result> {
  const { data, batch_size, task } = options;
  const { test } = data;
  const batches = testBatchesOf(options);
  const tested = testedOf(options);
  const first = { epoch: 0, step: 0 };
  const feed = createFeed(session, GRAPH, {
    allocate: () => allocateBatch(test, batch_size),
    fill: (batch, { step }) => fillTestBatch(batch, test, step, tested),
    after: ({ step }) => step + 1 < batches ? { epoch: 0, step: step + 1 } : undefined,
    ahead: test.ahead,
  });

  async function begin(step: number): Promise<Answered> {
    const { batch: { target, moves }, read } = await feed.begin({ epoch: 0, step });
    return {
      // The batch's own arrays are filled again before its answers are read.
      batch: { target: target.slice(), moves: moves.slice() },
      read,
      sampleAt: (slot) => testedImage(test, step * batch_size + slot, tested),
    };
  }

  return {
    prefetch: () => feed.prefetch(first),
    async *run() {
      const judge = task.judge({ session, graph: GRAPH, data, batch_size, batches });
      const underWay: Answered[] = [];
      let begun = 0;
      for (let taken = 0; taken < batches; taken++) {
        const depth = judge.again ? 1 : session.depth(GRAPH);
        while (begun < batches && underWay.length < depth) underWay.push(await begin(begun++));
        await judge.take(underWay.shift()!);
        yield { batch: taken + 1, batches, answers: judge.answers() };
      }
      return judge.result();
    },
  };
}

/** Runs an evaluation to its end. */
export async function evaluateAll<Result extends Judged>(
  evaluator: Evaluator<Result>,
  onBatch?: (batch: number, batches: number) => void,
): Promise<Result> {
  const running = evaluator.run();
  let next = await running.next();
  for (; !next.done; next = await running.next()) onBatch?.(next.value.batch, next.value.batches);
  return next.value;
}
