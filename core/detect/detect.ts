/** From what a network answered to what is said to be there. */
import type { MapShape } from "../ops/yolo_loss.ts";
import { decode } from "./decode.ts";
import type { Detection } from "./detection.ts";
import { suppress } from "./nms.ts";

export interface DetectOptions {
  /** Only boxes with higher scores count. */
  readonly conf_threshold: number;
  /** Of two boxes of a class with a greater IoU than this, the one with the higher score stays. */
  readonly iou_threshold: number;
  /** At most this many boxes remain of an image, the best. */
  readonly max_detections: number;
}

/** What darknet's yolo.c shows people. */
export const SHOWN: DetectOptions = { conf_threshold: 0.2, iou_threshold: 0.4, max_detections: 100 };

/** What darknet's yolo.c judges a network by: all but everything, since average precision weighs scores itself. */
export const JUDGED: DetectOptions = { conf_threshold: 0.001, iou_threshold: 0.5, max_detections: 300 };

/** The boxes in the map of one image, highest score first, in pixels of an image of the given size. */
export function detect(
  map: ArrayLike<number>,
  shape: MapShape,
  { width, height }: { readonly width: number; readonly height: number },
  options: DetectOptions,
): Detection[] {
  const { split_size, num_boxes, num_classes } = shape;
  const { conf_threshold } = options;
  return suppress(
    decode(map, { split_size, num_boxes, num_classes, width, height, conf_threshold }),
    options,
  );
}
