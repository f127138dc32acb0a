/** YOLOv1's loss in float64, from its definition: a function to be differentiated by differences. */
import type { YoloLossAttrs } from "../../core/ops/yolo_loss.ts";

/** The weighted parts in their order: xy, wh, object, noobject, class. */
export function yoloLossParts(
  prediction: ArrayLike<number>,
  target: ArrayLike<number>,
  attrs: YoloLossAttrs,
  /** IoUs to take instead of the prediction's own: they have no gradient. */
  fixed?: readonly (readonly number[])[],
): number[] {
  const { split_size: S, num_boxes: B, num_classes: C } = attrs;
  const pitch = C + 5 * B, cells = target.length / 5, images = cells / S ** 2;
  const sums = [0, 0, 0, 0, 0];
  for (let cell = 0; cell < cells; cell++) {
    const given = Array.from({ length: pitch }, (_, i) => prediction[cell * pitch + i]!);
    const [label, x, y, w, h] = Array.from({ length: 5 }, (_, i) => target[cell * 5 + i]!) as Five;
    if (label === -2) continue;
    const boxes = Array.from({ length: B }, (_, i) => given.slice(C + 5 * i, C + 5 * i + 5) as Five);
    const ious = fixed?.[cell] ?? iousOf(boxes, [x, y, w, h]);
    const responsible = label === -1 ? -1 : ious.indexOf(Math.max(...ious));
    for (const [i, [confidence, px, py, pw, ph]] of boxes.entries()) {
      if (i !== responsible) {
        sums[3]! += confidence ** 2;
        continue;
      }
      sums[0]! += (px - x) ** 2 + (py - y) ** 2;
      sums[1]! += (root(pw) - Math.sqrt(w)) ** 2 + (root(ph) - Math.sqrt(h)) ** 2;
      sums[2]! += (confidence - ious[i]!) ** 2;
    }
    if (label === -1) continue;
    for (let i = 0; i < C; i++) sums[4]! += (given[i]! - (i === label ? 1 : 0)) ** 2;
  }
  const weights = [attrs.lambda_coord, attrs.lambda_coord, 1, attrs.lambda_noobj, 1];
  return sums.map((sum, i) => sum * weights[i]! / (attrs.reduction === "mean" ? images : 1));
}

/** Of each cell, the IoU of each of its boxes with the cell's object. */
export function cellIous(prediction: ArrayLike<number>, target: ArrayLike<number>, attrs: YoloLossAttrs) {
  const { num_boxes: B, num_classes: C } = attrs;
  return Array.from({ length: target.length / 5 }, (_, cell) => {
    const start = cell * (C + 5 * B) + C;
    const boxes = Array.from({ length: B }, (_, box) => five(prediction, start + 5 * box));
    const [, ...wanted] = five(target, 5 * cell);
    return iousOf(boxes, wanted);
  });
}

type Five = [number, number, number, number, number];

function five(from: ArrayLike<number>, at: number): Five {
  return Array.from({ length: 5 }, (_, i) => from[at + i]!) as Five;
}

function iousOf(boxes: readonly Five[], wanted: [number, number, number, number]): number[] {
  return boxes.map(([, ...box]) => {
    const [width, height] = [0, 1].map((side) =>
      Math.min(box[side]! + box[side + 2]! / 2, wanted[side]! + wanted[side + 2]! / 2) -
      Math.max(box[side]! - box[side + 2]! / 2, wanted[side]! - wanted[side + 2]! / 2)
    ) as [number, number];
    if (width <= 0 || height <= 0) return 0;
    return width * height / (box[2] * box[3] + wanted[2] * wanted[3] - width * height);
  });
}

function root(x: number): number {
  return Math.sign(x) * Math.sqrt(Math.abs(x) + 1e-6);
}
