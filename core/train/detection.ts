/** Training a detector: YOLOv1's loss in its five parts, and mean average precision. */
import type { DetectionDataset } from "../data/detection/dataset.ts";
import {
  type DetectionEvaluation,
  evaluateDetections,
  judgedImage,
} from "../metrics/detection_evaluation.ts";
import { yoloLoss } from "../nn/functional.ts";
import { scoresOf } from "../nn/output.ts";
import { DOES_NOT_COUNT, type MapShape, TARGET_CELL, yoloLossParts } from "../ops/yolo_loss.ts";
import type { AnsweredImage, BoxAnswers } from "./answers.ts";
import {
  counting,
  type Evaluation,
  expectImages,
  type Figures,
  type Judge,
  type JudgeOptions,
  type Task,
} from "./task.ts";

export interface DetectionTaskOptions extends MapShape, DetectionWeights {}

export interface DetectionWeights {
  /** Weight of boxes' places and sizes; the paper's 5 by default. */
  readonly lambda_coord?: number | undefined;
  /** Weight of the confidence of boxes without an object; the paper's 0.5 by default. */
  readonly lambda_noobj?: number | undefined;
}

export interface DetectionResult extends Evaluation, BoxAnswers {
  /** mAP at an IoU of 0.5. */
  readonly score: number;
  readonly evaluation: DetectionEvaluation;
}

/**
 * The network's output is a map `[N, S·S·(C + 5·B)]`, see the op `yolo_loss`. Figures: the loss's parts, which add up to
 * it, and in evaluations `map50` and `map50_95`. Outputs of an evaluation: `loss`, `parts`, `boxes` (the map).
 */
export function detection(options: DetectionTaskOptions): Task<DetectionResult> {
  const { split_size, num_boxes, num_classes, lambda_coord = 5, lambda_noobj = 0.5 } = options;
  const attrs = { split_size, num_boxes, num_classes, lambda_coord, lambda_noobj };
  return {
    target: { dtype: "f32", shape: [split_size * split_size * TARGET_CELL] },
    score: "map50",
    loss({ builder }, output, target) {
      const { loss, parts } = yoloLoss(scoresOf(output), target, attrs);
      builder.output("parts", parts.value);
      return loss;
    },
    tally: async (read, images) => partFigures(await read("parts"), images),
    answers({ builder }, output, target) {
      const map = scoresOf(output);
      const { loss, parts } = yoloLoss(map, target, { ...attrs, reduction: "sum" });
      builder.output("loss", loss.value);
      builder.output("parts", parts.value);
      builder.output("boxes", map.value);
    },
    classes: () => num_classes,
    judge: (judging) => boxJudge(judging, options),
  };
}

function partFigures(parts: ArrayLike<number>, factor: number): Figures {
  return Object.fromEntries(yoloLossParts.map((name, i) => [name, parts[i]! * factor]));
}

function boxJudge(options: JudgeOptions, shape: MapShape): Judge<DetectionResult> {
  const { data, batch_size } = options;
  const test = data.test as DetectionDataset;
  const images: AnsweredImage[] = [];
  const sums = new Float64Array(yoloLossParts.length);
  let lossSum = 0;
  return {
    again: false,
    async take({ batch, read, sampleAt }) {
      lossSum += (await read("loss"))[0]!;
      (await read("parts")).forEach((part, i) => sums[i]! += part);
      const maps = await read("boxes");
      const size = maps.length / batch_size;
      for (const slot of counting(batch, batch_size, DOES_NOT_COUNT)) {
        const sample = sampleAt(slot);
        const image = test.images[sample]!;
        const map = maps.subarray(slot * size, (slot + 1) * size);
        images.push({ sample, ...judgedImage(map, shape, image) });
      }
    },
    answers: () => ({ kind: "boxes", images }),
    result() {
      expectImages(images.length, test);
      const evaluation = evaluateDetections(images, test.classes);
      const { map50 = 0, map50_95 = 0 } = evaluation;
      const loss = lossSum / images.length;
      const figures = { map50, map50_95, ...partFigures(sums, 1 / images.length) };
      return { kind: "boxes", loss, figures, score: map50, images, evaluation };
    },
  };
}
