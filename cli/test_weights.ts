/** Tests weights on the test images of a data set: what `evaluate` does for any task. */
import type { DatasetSplit, ImageSet } from "../core/data/dataset.ts";
import { loadStateDict, type MatchedStateDict } from "../core/nn/match_state_dict.ts";
import type { Module } from "../core/nn/mod.ts";
import { createEvaluator, evaluateAll } from "../core/train/evaluation.ts";
import { type BatchShape, evaluateGraph } from "../core/train/graphs.ts";
import type { Judged, Task } from "../core/train/task.ts";
import type { DeviceFlags } from "./backend.ts";
import { createProgress } from "./progress.ts";
import { startBackend, type Weights, withinMemory } from "./weights.ts";

export interface WeightsTest<Result extends Judged> {
  readonly model: Module;
  readonly matched: MatchedStateDict;
  readonly data: DatasetSplit<ImageSet>;
  readonly images: BatchShape;
  readonly task: Task<Result>;
  /** The most batches, of images from all over the data; 0 for no limit. */
  readonly limit_batches: number;
}

/** Shows how far it is. Throws `UserError` where the network does not fit into memory. */
export async function testWeights<Result extends Judged>(
  weights: Weights,
  { model, matched, images, ...test }: WeightsTest<Result>,
  given: DeviceFlags,
): Promise<Result> {
  const backend = await startBackend(weights, given);
  const progress = createProgress();
  try {
    const graphs = { evaluate: evaluateGraph(model, images, test.task) };
    const session = await withinMemory(images.batch, () => backend.compile(graphs));
    loadStateDict(session, matched);
    const evaluator = createEvaluator(session, { ...test, batch_size: images.batch });
    return await evaluateAll(evaluator, (batch, batches) => {
      progress.show(batch / batches, `batch ${batch} of ${batches}`);
    });
  } finally {
    progress.stop();
    backend.close();
  }
}
