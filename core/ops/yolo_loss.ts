/** The loss of YOLOv1. */
import { f32, type TensorType } from "../graph/graph.ts";
import { formatShape, sameShape } from "../shape.ts";
import { at, expectRank, expectWhole, first, known, Misfit, type Op } from "./op.ts";

/** The extents of a map: `[S·S·(C + 5·B)]` an image. */
export interface MapShape {
  /** Cells in a row: S. */
  readonly split_size: number;
  /** Boxes a cell: B. */
  readonly num_boxes: number;
  /** C */
  readonly num_classes: number;
}

export interface YoloLossAttrs extends MapShape {
  readonly lambda_coord: number;
  readonly lambda_noobj: number;
  /** Over the images. */
  readonly reduction: "mean" | "sum";
}

/** Numbers of a predicted box: confidence, x, y, w, h. */
export const MAP_BOX = 5;
/** Numbers of a target's cell: class, x, y, w, h. */
export const TARGET_CELL = 5;

/** What stands for the class of a cell in which no object's middle lies. */
export const NO_OBJECT = -1;
/** The same for a cell that does not count: its loss and gradient are 0. */
export const DOES_NOT_COUNT = -2;

/** What the loss is made of, in the order in which the op reports it. */
export const yoloLossParts = ["xy", "wh", "object", "noobject", "class"] as const;
export type YoloLossPart = typeof yoloLossParts[number];

function expectMaps(prediction: TensorType, target: TensorType, attrs: YoloLossAttrs): void {
  const { split_size, num_boxes, num_classes } = attrs;
  expectWhole("split_size and num_boxes", [split_size, num_boxes], 1);
  expectWhole("num_classes", [num_classes], 0);
  expectRank(prediction.shape, 2, "the prediction (N, S·S·(C + 5·B))");
  const images = at(prediction.shape, 0), cells = split_size ** 2;
  const expected = [images, cells * (num_classes + MAP_BOX * num_boxes)];
  if (!sameShape(prediction.shape, expected)) {
    throw new Misfit(
      `with S = ${split_size}, B = ${num_boxes}, C = ${num_classes} the prediction must be ${
        formatShape(expected)
      }`,
    );
  }
  if (target.dtype !== "f32" || !sameShape(target.shape, [images, cells * TARGET_CELL])) {
    throw new Misfit(
      `the target must be f32 ${formatShape([images, cells * TARGET_CELL])}, not ${target.dtype} ${
        formatShape(target.shape)
      }`,
    );
  }
}

/**
 * `(prediction [N, S·S·(C + 5·B)], target [N, S·S·5]) → loss [], parts [5]` (Redmon et al. 2015, equation 3).
 *
 * A cell of the prediction is C class scores, then B boxes of (confidence, x, y, w, h); a cell of the target is (class, x,
 * y, w, h) of the one object whose middle lies in it. Lengths are in cells, x and y from the cell's left top corner. Of
 * the boxes the one with the highest IoU is responsible (of equals the first); its confidence should be that IoU, which has
 * no gradient, and that of every other box 0. The root of a predicted width is sign(w)·√(|w| + 1e-6). "mean" divides by N.
 * The parts are weighted, so that they add up to the loss; see `yoloLossParts`.
 * A class that is neither NO_OBJECT nor DOES_NOT_COUNT nor below C: loss NaN.
 */
export const yolo_loss: Op<YoloLossAttrs> = {
  infer(inputs, attrs) {
    expectMaps(first(inputs), first(inputs, 1), attrs);
    return [f32([]), f32([yoloLossParts.length])];
  },
  gradient: (emit, { inputs: [prediction, target], attrs }, [grad]) => [
    emit("yolo_loss_grad", [known(grad), known(prediction), known(target)], attrs)[0],
  ],
};

/** `(dloss, prediction, target) → dprediction` */
export const yolo_loss_grad: Op<YoloLossAttrs> = {
  infer: (inputs) => [f32(first(inputs, 1).shape)],
};
