import type { Module } from "../nn/module.ts";
import type { MapShape } from "../ops/yolo_loss.ts";

/** A network that answers an image with a map of boxes, see decode.ts. It says itself what the map's extents are. */
export interface DetectionModel extends Module {
  readonly map: MapShape;
  /** Name of the module whose weights training as a classifier may have made. */
  readonly body?: string;
}

/** Whether a network answers with a map of boxes. */
export function isDetectionModel(model: Module): model is DetectionModel {
  const { map } = model as Partial<DetectionModel>;
  return typeof map === "object" &&
    [map.split_size, map.num_boxes, map.num_classes].every((extent) => Number.isSafeInteger(extent));
}
