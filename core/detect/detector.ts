import type { Module } from "../nn/module.ts";
import type { MapShape } from "../ops/yolo_loss.ts";

/** A network that answers an image with a map of boxes, see decode.ts. It says itself what the map's extents are. */
export interface Detector extends Module {
  readonly map: MapShape;
}

export function isDetector(model: Module): model is Detector {
  const { map } = model as Partial<Detector>;
  return typeof map === "object" &&
    [map.split_size, map.num_boxes, map.num_classes].every((extent) => Number.isSafeInteger(extent));
}
