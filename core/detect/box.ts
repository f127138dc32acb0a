/** Boxes by their edges, as torchvision has them ("xyxy"): continuous, so a box over all of an image is (0, 0, width, height). */
export interface Box {
  readonly x1: number;
  readonly y1: number;
  readonly x2: number;
  readonly y2: number;
}

/** The area; 0 for a box whose edges stand the wrong way round. */
export function areaOf({ x1, y1, x2, y2 }: Box): number {
  return Math.max(x2 - x1, 0) * Math.max(y2 - y1, 0);
}

/** The part that two boxes share; of no area where they share none. */
export function intersection(a: Box, b: Box): Box {
  return {
    x1: Math.max(a.x1, b.x1),
    y1: Math.max(a.y1, b.y1),
    x2: Math.min(a.x2, b.x2),
    y2: Math.min(a.y2, b.y2),
  };
}

/**
 * Intersection over union (Jaccard), 0 … 1; 0 where the boxes share no area.
 *
 * ```ts
 * import assert from "node:assert/strict";
 *
 * const whole = { x1: 0, y1: 0, x2: 40, y2: 30 }, leftHalf = { x1: 0, y1: 0, x2: 20, y2: 30 };
 * assert.equal(iou(whole, leftHalf), 0.5);
 * ```
 */
export function iou(a: Box, b: Box): number {
  const shared = areaOf(intersection(a, b));
  return shared === 0 ? 0 : shared / (areaOf(a) + areaOf(b) - shared);
}

/** The part of a box that lies in an image. */
export function clipBox(box: Box, width: number, height: number): Box {
  return intersection(box, { x1: 0, y1: 0, x2: width, y2: height });
}

/** The box with its x times `sx` and its y times `sy`, such as from shares of an image to its pixels. */
export function scaleBox({ x1, y1, x2, y2 }: Box, sx: number, sy: number): Box {
  return { x1: x1 * sx, y1: y1 * sy, x2: x2 * sx, y2: y2 * sy };
}
