/** What an evaluation of a detector says: for people, and for programs. */
import { SHOWN } from "../core/detect/detect.ts";
import type { DetectionEvaluation } from "../core/metrics/detection_evaluation.ts";
import { iouHistogram } from "../core/metrics/detection_report.ts";
import { detectionTable } from "../core/metrics/detection_table.ts";
import { counted } from "../core/summary/format.ts";
import type { DetectionResult } from "../core/train/detection.ts";
import { partsText, percent, scoreLine } from "./figures.ts";

/** What was tested, and on what. */
export interface TestedDetector {
  readonly weights: string;
  readonly model: string;
  readonly dataset: string;
}

/** All figures, as JSON has them: shares are 0 … 1, and null where there is nothing to find. */
export function detectionData(
  tested: TestedDetector,
  { loss }: DetectionResult,
  { report, map50, map50_95, images }: DetectionEvaluation,
) {
  const names = report.classes.map(({ name }) => name);
  return {
    ...tested,
    images: images.length,
    loss,
    iou: report.iou_threshold,
    map: report.map ?? null,
    map11: report.map11 ?? null,
    map50: map50 ?? null,
    map50_95: map50_95 ?? null,
    classes: report.classes.map(({ name, objects, difficult, detections, ap, ap11, best }) => ({
      name,
      objects,
      difficult,
      detections,
      ap: ap ?? null,
      ap11: ap11 ?? null,
      precision: best?.precision ?? null,
      recall: best?.recall ?? null,
      score: best?.score ?? null,
    })),
    iou_histogram: {
      score: SHOWN.conf_threshold,
      bins: iouHistogram(images, names, { score_threshold: SHOWN.conf_threshold }),
    },
  };
}

/** The same for people; the last line is the one that training ends with. */
export function detectionText(
  { weights, model, dataset }: TestedDetector,
  result: DetectionResult,
  { report, map50_95, images }: DetectionEvaluation,
): string {
  const { classes } = report;
  const objects = classes.reduce((sum, { objects }) => sum + objects, 0);
  const difficult = classes.reduce((sum, { difficult }) => sum + difficult, 0);
  const there = [
    counted(images.length, "image"),
    counted(objects, "object") + (difficult > 0 ? ` and ${counted(difficult, "difficult one")}` : ""),
    counted(classes.length, "class", "classes"),
  ];
  return [
    `${model} of ${weights} on ${dataset}: ${there.join(", ")}`,
    "",
    ...detectionTable(report),
    `mAP@[.5:.95]: ${map50_95 === undefined ? "–" : percent(map50_95)}`,
    "",
    `Loss ${result.loss.toFixed(4)}${partsText(result.figures)}`,
    scoreLine(result),
  ].join("\n");
}
