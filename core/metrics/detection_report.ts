/** How good a detector is, class by class and as a whole. */
import {
  averagePrecision,
  type AveragePrecisionMethod,
  type CurvePoint,
  precisionRecall,
} from "./average_precision.ts";
import { candidatesOf, judge, type JudgedImage } from "./detection_matches.ts";

export interface DetectionReportOptions {
  readonly classes: readonly string[];
  /** A detection is right from this IoU on; VOC's 0.5 by default. */
  readonly iou_threshold?: number;
  readonly method?: AveragePrecisionMethod;
}

export interface ClassReport {
  readonly name: string;
  /** Objects to find, without the difficult ones. */
  readonly objects: number;
  readonly difficult: number;
  /** All that were made, whatever their score. */
  readonly detections: number;
  /** Average precision; undefined where there is nothing to find. */
  readonly ap: number | undefined;
  /** Highest score first. */
  readonly curve: readonly CurvePoint[];
  /** Where precision and recall go best together (the highest F1); undefined where no detection is right. */
  readonly best: CurvePoint | undefined;
}

export interface DetectionReport {
  readonly iou_threshold: number;
  readonly method: AveragePrecisionMethod;
  /** Mean of the classes' average precision, without those that have nothing to find. */
  readonly map: number | undefined;
  readonly classes: readonly ClassReport[];
}

/** Judges detections by VOC's rules. */
export function detectionReport(
  images: readonly JudgedImage[],
  { classes, iou_threshold = 0.5, method = "area" }: DetectionReportOptions,
): DetectionReport {
  const reports = classes.map((name, label): ClassReport => {
    const { candidates, positives, difficult } = candidatesOf(images, label);
    const curve = precisionRecall(judge(candidates, iou_threshold), positives);
    const ap = averagePrecision(curve, positives, method);
    return {
      name,
      objects: positives,
      difficult,
      detections: candidates.length,
      ap,
      curve,
      best: bestOf(curve),
    };
  });
  return { iou_threshold, method, map: meanOf(reports.map(({ ap }) => ap)), classes: reports };
}

/** COCO's ten thresholds, 0.5 to 0.95; the mean over them is what COCO calls AP (here by the area, not 101 points). */
export const cocoThresholds: readonly number[] = Array.from({ length: 10 }, (_, i) => (50 + 5 * i) / 100);

/** The mean over several IoU thresholds of the mean average precision. */
export function meanAveragePrecision(
  images: readonly JudgedImage[],
  classes: readonly string[],
  thresholds: readonly number[] = cocoThresholds,
): number | undefined {
  return meanOf(thresholds.map((iou_threshold) => detectionReport(images, { classes, iou_threshold }).map));
}

/** Undefined where no value is there. */
function meanOf(values: readonly (number | undefined)[]): number | undefined {
  const known = values.filter((value) => value !== undefined);
  return known.length === 0 ? undefined : known.reduce((sum, value) => sum + value, 0) / known.length;
}

function bestOf(curve: readonly CurvePoint[]): CurvePoint | undefined {
  const f1 = ({ precision, recall }: CurvePoint) => 2 * precision * recall / (precision + recall) || 0;
  const best = curve.reduce<CurvePoint | undefined>((a, b) => a && f1(a) >= f1(b) ? a : b, undefined);
  return best && best.recall > 0 ? best : undefined;
}

/** How many detections have an IoU from `from` to below `to` (the last bin: up to 1). */
export interface HistogramBin {
  readonly from: number;
  readonly to: number;
  readonly count: number;
}

/** How well boxes lie on objects: the IoU of each detection of at least a score with the object that it overlaps most. */
export function iouHistogram(
  images: readonly JudgedImage[],
  classes: readonly string[],
  { bins = 20, score_threshold = 0 }: { readonly bins?: number; readonly score_threshold?: number } = {},
): HistogramBin[] {
  const counts = new Array<number>(bins).fill(0);
  for (const label of classes.keys()) {
    for (const { iou, score } of candidatesOf(images, label).candidates) {
      if (score >= score_threshold) counts[Math.min(Math.floor(iou * bins), bins - 1)]!++;
    }
  }
  return counts.map((count, bin) => ({ from: bin / bins, to: (bin + 1) / bins, count }));
}
