/** How good a detector is on all images, from what it answered and what is there. */
import { detect, type DetectOptions, JUDGED } from "../detect/detect.ts";
import type { BoxesOfImage } from "../detect/targets.ts";
import type { MapShape } from "../ops/yolo_loss.ts";
import { candidatesOf, type JudgedImage } from "./detection_matches.ts";
import { classReport, cocoThresholds, type DetectionReport, meanOf, reportOf } from "./detection_report.ts";

export interface DetectionEvaluation {
  /** Class by class, at the IoU that was asked for. */
  readonly report: DetectionReport;
  /** mAP at an IoU of 0.5, 0 … 1; undefined where there is nothing to find. */
  readonly map50: number | undefined;
  /** The mean of mAP at 0.5, 0.55, … 0.95, COCO's AP. */
  readonly map50_95: number | undefined;
  /** What was judged. */
  readonly images: readonly JudgedImage[];
}

/** An image's map `[S·S·(C + 5·B)]` beside the boxes that people drew, in the pixels in which these are. */
export function judgedImage(
  map: ArrayLike<number>,
  shape: MapShape,
  image: BoxesOfImage,
  options: DetectOptions = JUDGED,
): JudgedImage {
  return { detections: detect(map, shape, image, options), objects: image.objects };
}

/** Judges all images by VOC's rules; `iou_threshold` is from where on a detection is right. */
export function evaluateDetections(
  images: readonly JudgedImage[],
  classes: readonly string[],
  { iou_threshold = 0.5 }: { readonly iou_threshold?: number } = {},
): DetectionEvaluation {
  const candidates = classes.map((_, label) => candidatesOf(images, label));
  const reportAt = (threshold: number) =>
    reportOf(candidates.map((own, label) => classReport(classes[label]!, own, threshold)), threshold);
  const maps = cocoThresholds.map((threshold) => reportAt(threshold).map);
  return { report: reportAt(iou_threshold), map50: maps[0], map50_95: meanOf(maps), images };
}
