import type { YoloLossAttrs } from "../../../ops/yolo_loss.ts";
import { yoloLossParts } from "../../../ops/yolo_loss.ts";
import type { Word } from "../../../program/program.ts";
import { address, float, type Lowering } from "./lowering.ts";

/** Images, cells of an image, boxes of a cell, classes. */
function extents(images: number, { split_size, num_boxes, num_classes }: YoloLossAttrs): Word[] {
  return [images, split_size ** 2, num_boxes, num_classes];
}

/** What each image counts, and the weights of parts. */
function weights(images: number, { reduction, lambda_coord, lambda_noobj }: YoloLossAttrs): Word[] {
  return [float(reduction === "mean" ? 1 / images : 1), float(lambda_coord), float(lambda_noobj)];
}

const BYTES_PER_F64 = 8;

const yolo_loss: Lowering<"yolo_loss"> = (lower, { inputs: [prediction, target], outputs, attrs }) => {
  const [loss, parts] = outputs;
  const images = prediction!.shape[0]!;
  const sums: Word = { scratch: lower.scratch(BYTES_PER_F64 * yoloLossParts.length * images) };
  lower.call("yolo_loss", address(prediction), address(target), sums, ...extents(images, attrs));
  lower.call("sum_yolo_losses", sums, address(loss), address(parts), images, ...weights(images, attrs));
};

const yolo_loss_grad: Lowering<"yolo_loss_grad"> = (lower, { inputs, outputs: [dprediction], attrs }) => {
  const [dloss, prediction, target] = inputs;
  const images = prediction!.shape[0]!;
  lower.call(
    "yolo_loss_grad",
    address(dloss),
    address(prediction),
    address(target),
    address(dprediction),
    ...extents(images, attrs),
    ...weights(images, attrs),
  );
};

export const yoloLossLowerings = { yolo_loss, yolo_loss_grad };
