/** Non-maximum suppression: of boxes that overlap, the one with the highest score stays. */
import { type Box, iou } from "./box.ts";
import type { Detection } from "./detection.ts";

/**
 * Indices of the boxes that stay, highest score first (of equal scores the earlier box). A box goes where its IoU with
 * one that stays is above `iou_threshold`. As torchvision.ops.nms; a score that is NaN comes last.
 *
 * ```ts
 * import assert from "node:assert/strict";
 *
 * const cat = { x1: 10, y1: 10, x2: 50, y2: 50 }, sameCat = { ...cat, x1: 12 }, dog = { ...cat, x1: 80, x2: 120 };
 * assert.deepEqual(nms([cat, sameCat, dog], [0.7, 0.9, 0.8], 0.5), [1, 2]);
 * ```
 */
export function nms(boxes: readonly Box[], scores: ArrayLike<number>, iou_threshold: number): number[] {
  const order = boxes.map((_, index) => index).sort((a, b) => byScore(scores[a]!, scores[b]!));
  const kept: number[] = [];
  for (const index of order) {
    const box = boxes[index]!;
    if (kept.every((other) => !(iou(box, boxes[other]!) > iou_threshold))) kept.push(index);
  }
  return kept;
}

/** When a box goes, and how many may stay. */
export interface SuppressOptions {
  /** A box goes where its IoU with a better one of its class is above this, 0 … 1. */
  readonly iou_threshold: number;
  /** At most this many boxes remain, of all classes together. */
  readonly max_detections?: number;
}

/** Class by class: boxes of different classes do not suppress each other. Highest score first. */
export function suppress(detections: readonly Detection[], options: SuppressOptions): Detection[] {
  const { iou_threshold, max_detections = Infinity } = options;
  const classes = Map.groupBy(detections.keys(), (index) => detections[index]!.label);
  const kept = [...classes.values()].flatMap((group) => {
    const own = group.map((index) => detections[index]!);
    return nms(own.map(({ box }) => box), own.map(({ score }) => score), iou_threshold)
      .map((place) => group[place]!);
  });
  return kept
    .sort((a, b) => byScore(detections[a]!.score, detections[b]!.score) || a - b)
    .slice(0, max_detections)
    .map((index) => detections[index]!);
}

/** Highest first, NaN last; sorting is stable. */
function byScore(a: number, b: number): number {
  if (Number.isNaN(a) || Number.isNaN(b)) return Number(Number.isNaN(a)) - Number(Number.isNaN(b));
  return b - a;
}
