/** The loss of YOLOv1. */
import { type YoloLossAttrs, yoloLossParts } from "../../../ops/yolo_loss.ts";
import type { Shape } from "../../../shape.ts";
import { float, groupsFor, reads, writes } from "../kernel.ts";
import { cellGradients, cellLosses, sumLosses } from "../wgsl/yolo_loss.ts";
import type { Lowering } from "./lowering.ts";

function extents([images]: Shape, { split_size, num_boxes, num_classes }: YoloLossAttrs) {
  return { count: images! * split_size ** 2, boxes: num_boxes, classes: num_classes };
}

/** What each image counts, and the weights of parts. */
function weights([images]: Shape, { reduction, lambda_coord, lambda_noobj }: YoloLossAttrs) {
  const factor = float(reduction === "mean" ? 1 / images! : 1);
  return { factor, coord: float(lambda_coord), noobj: float(lambda_noobj) };
}

const yolo_loss: Lowering<"yolo_loss"> = (lower, { inputs: [prediction, target], outputs, attrs }) => {
  const [loss, sums] = outputs;
  const numbers = extents(prediction!.shape, attrs), { count } = numbers;
  const parts = lower.scratch(4 * yoloLossParts.length * count);
  lower.add({
    kernel: "yolo_loss",
    code: cellLosses,
    buffers: { prediction: reads(prediction), target: reads(target), parts: writes(parts) },
    numbers,
    groups: groupsFor(count),
  });
  lower.add({
    kernel: "sum_yolo_losses",
    code: lower.reduceLanes + sumLosses,
    buffers: { parts: reads(parts), loss: writes(loss), y: writes(sums) },
    numbers: { count, ...weights(prediction!.shape, attrs) },
    groups: 1,
  });
};

const yolo_loss_grad: Lowering<"yolo_loss_grad"> = (lower, { inputs, outputs: [dx], attrs }) => {
  const [dloss, prediction, target] = inputs;
  const numbers = extents(prediction!.shape, attrs);
  lower.add({
    kernel: "yolo_loss_grad",
    code: cellGradients,
    buffers: {
      dloss: reads(dloss),
      prediction: reads(prediction),
      target: reads(target),
      dx: writes(dx),
    },
    numbers: { ...numbers, ...weights(prediction!.shape, attrs) },
    groups: groupsFor(numbers.count),
  });
};

export const yoloLossLowerings = { yolo_loss, yolo_loss_grad };
