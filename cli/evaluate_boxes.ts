/** `evaluate` of detectors: mean average precision on a folder of images with boxes, and class by class. */
import { resolve } from "node:path";
import type { DatasetSplit } from "../core/data/dataset.ts";
import type { DetectionDataset } from "../core/data/detection/dataset.ts";
import type { DetectionModel } from "../core/detect/model.ts";
import { UserError } from "../core/errors.ts";
import { evaluateDetections } from "../core/metrics/detection_evaluation.ts";
import { matchStateDict } from "../core/nn/match_state_dict.ts";
import { detection, type DetectionResult } from "../core/train/detection.ts";
import { saveDetectionResults } from "../host/evaluation_folder.ts";
import type { DamagedFile } from "../host/images/damaged.ts";
import { workersFor } from "./backend.ts";
import { detectionData, detectionText } from "./detection_report.ts";
import type { EvaluateFlags } from "./evaluate.ts";
import { shortName } from "./model.ts";
import { whileReading } from "./progress.ts";
import { ownTestOf, testedAsRun } from "./own_test.ts";
import { testWeights } from "./test_weights.ts";
import { imagesFor, RIGHT_MODEL, type Weights } from "./weights.ts";

/** Images at once, where neither flags nor the run say. */
const BATCH = 8;

/** Flags that say something of classifiers alone. */
const CLASSIFIERS_ONLY = ["tta", "val-resize-size"] as const;

/** `names` are those of the weights' classes, as far as anybody says. Returns the exit code. */
export async function evaluateBoxes(
  weights: Weights,
  names: readonly string[] | undefined,
  given: EvaluateFlags,
): Promise<number> {
  const { dict, network } = weights;
  const idle = CLASSIFIERS_ONLY.find((flag) => given[flag] !== undefined);
  if (idle !== undefined) {
    throw new UserError(`--${idle} has no effect on ${shortName(network.name)}: it is for classifiers`);
  }
  const damaged: DamagedFile[] = [];
  const data = await loadBoxes(weights, names, given, (file) => damaged.push(file));
  try {
    const { test } = data;
    const result = await run(weights, data, given);
    const { iou: iou_threshold } = given;
    const evaluation = iou_threshold === undefined
      ? result.evaluation
      : evaluateDetections(result.images, test.classes, { iou_threshold });
    const about = { weights: dict.file, model: shortName(network.name), dataset: test.name };
    const figures = { ...detectionData(about, result, evaluation), damaged };
    const files = given.output === undefined ? [] : await saveDetectionResults(
      given.output,
      `${about.model} on ${test.name}`,
      // Those that could not be decoded are left out.
      { images: result.images.map(({ sample }) => test.images[sample]!), classes: test.classes, evaluation },
      figures,
    );
    if (given.json) console.log(JSON.stringify(figures, null, 2));
    else {
      console.log(detectionText(about, result, evaluation));
      if (files.length > 0) console.error(`Wrote ${files.join(", ")} in ${given.output}`);
    }
    return 0;
  } finally {
    data.close?.();
  }
}

/** The images that flags name, or those that the run was tested on. */
async function loadBoxes(
  { run, network, dict, num_classes }: Weights,
  names: readonly string[] | undefined,
  given: EvaluateFlags,
  onDamaged: (file: DamagedFile) => void,
): Promise<DatasetSplit<DetectionDataset>> {
  if (given.split !== undefined && given["val-split"] !== undefined) {
    throw new UserError("--split and --val-split: choose one");
  }
  if ((given.dataset ?? "boxes") !== "boxes") {
    throw new UserError(
      `--dataset ${given.dataset}: ${shortName(network.name)} finds boxes; --data names a folder of them`,
    );
  }
  const folder = given.data ?? (run?.dataset === "boxes" ? run.data : undefined);
  if (folder === undefined) {
    throw new UserError(`${dict.file}: it does not say what to test it on: name a folder with --data`);
  }
  const seen = run?.data !== undefined && resolve(folder) === resolve(run.data);
  const note = (line: string) => console.error(`Note: ${line}`);
  const workers = await workersFor(given);
  const { loadDetection } = await import("../host/detection/dataset.ts");
  const own = seen ? ownTestOf(run, given) : undefined;
  const learnt = (own?.overfit_batches ?? 0) > 0;
  const loaded = await whileReading(({ onRead }) =>
    loadDetection(folder, {
      input: network.input as [number, number, number],
      split_size: (network.model as DetectionModel).map.split_size,
      augmentation: undefined,
      classes: names,
      list: given.split,
      valSplit: given["val-split"] ?? (seen ? run.val_split || undefined : undefined),
      seed: given.seed ?? (seen ? run.seed : undefined) ?? 0,
      maxPixels: 1e6 * (given["max-megapixels"] ?? run?.max_megapixels ?? 100),
      badImages: given["bad-images"] ?? run?.bad_images ?? "skip",
      workers,
      overfit: learnt,
      testOnly: learnt ? undefined : seen ? "seen" : "new",
      note,
      onDamaged,
      onRead,
    })
  );
  loaded.notes.forEach(note);
  const data = own ? testedAsRun(loaded, own, note) : loaded;
  if (data.test.classes.length === num_classes) return data;
  data.close?.();
  throw new UserError(
    `${dict.file}: finds ${num_classes} classes, and ${data.test.name} has ${data.test.classes.length}; ` +
      "--classes names those of the weights",
  );
}

async function run(
  weights: Weights,
  data: DatasetSplit<DetectionDataset>,
  given: EvaluateFlags,
): Promise<DetectionResult> {
  const { dict, network } = weights;
  const model = network.model as DetectionModel;
  const batch_size = Math.min(given["batch-size"] ?? weights.run?.batch_size ?? BATCH, data.test.count);
  const matched = matchStateDict(model, dict, { advice: RIGHT_MODEL });
  const images = imagesFor(weights, batch_size, given);
  const limit_batches = given["limit-batches"] ?? 0;
  const task = detection(model.map);
  return await testWeights(weights, { model, matched, data, images, task, limit_batches }, given);
}
