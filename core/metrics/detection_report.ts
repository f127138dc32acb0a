/** How good a detector is, class by class and as a whole. */
import { averagePrecision, type CurvePoint, precisionRecall } from "./average_precision.ts";
import { candidatesOf, type ClassCandidates, judge, type JudgedImage } from "./detection_matches.ts";

export interface DetectionReportOptions {
  readonly classes: readonly string[];
  /** A detection is right from this IoU on; VOC's 0.5 by default. */
  readonly iou_threshold?: number;
}

export interface ClassReport {
  readonly name: string;
  /** Objects to find, without the difficult ones. */
  readonly objects: number;
  readonly difficult: number;
  /** All that were made, whatever their score. */
  readonly detections: number;
  /** Average precision by the area; undefined where there is nothing to find. */
  readonly ap: number | undefined;
  /** The same by 11 points. */
  readonly ap11: number | undefined;
  /** Highest score first. */
  readonly curve: readonly CurvePoint[];
  /** Where precision and recall go best together (the highest F1); undefined where no detection is right. */
  readonly best: CurvePoint | undefined;
}

export interface DetectionReport {
  readonly iou_threshold: number;
  /** Mean of the classes' average precision by the area, without those that have nothing to find. */
  readonly map: number | undefined;
  /** The same by 11 points. */
  readonly map11: number | undefined;
  readonly classes: readonly ClassReport[];
}

/** Judges detections by VOC's rules. */
export function detectionReport(
  images: readonly JudgedImage[],
  { classes, iou_threshold = 0.5 }: DetectionReportOptions,
): DetectionReport {
  const reports = classes.map((name, label) => classReport(name, candidatesOf(images, label), iou_threshold));
  return reportOf(reports, iou_threshold);
}

/** What there is to say of one class. */
export function classReport(
  name: string,
  { candidates, positives, difficult }: ClassCandidates,
  iou_threshold: number,
): ClassReport {
  const curve = precisionRecall(judge(candidates, iou_threshold), positives);
  return {
    name,
    objects: positives,
    difficult,
    detections: candidates.length,
    ap: averagePrecision(curve, positives, "area"),
    ap11: averagePrecision(curve, positives, "11 points"),
    curve,
    best: bestOf(curve),
  };
}

/** All classes together. */
export function reportOf(classes: readonly ClassReport[], iou_threshold: number): DetectionReport {
  return {
    iou_threshold,
    map: meanOf(classes.map(({ ap }) => ap)),
    map11: meanOf(classes.map(({ ap11 }) => ap11)),
    classes,
  };
}

/** COCO's ten thresholds, 0.5 to 0.95; the mean over them is what COCO calls AP (here by the area, not 101 points). */
export const cocoThresholds: readonly number[] = Array.from({ length: 10 }, (_, i) => (50 + 5 * i) / 100);

/** The mean of those values that are there; undefined where none is. */
export function meanOf(values: readonly (number | undefined)[]): number | undefined {
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
