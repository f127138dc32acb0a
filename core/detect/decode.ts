/** What YOLOv1 answered: a map of numbers as boxes. */
import { MAP_BOX, type MapShape } from "../ops/yolo_loss.ts";
import { areaOf, clipBox } from "./box.ts";
import type { Detection } from "./detection.ts";

/** What the map is like, and which boxes are wanted of it. */
export interface DecodeOptions extends MapShape {
  /** Boxes come out in pixels of an image of this size … */
  readonly width: number;
  readonly height: number;
  /** … and only with scores above this. */
  readonly conf_threshold: number;
}

/**
 * The boxes in the map `[S·S·(C + 5·B)]` of one image, a cell being C class scores, then B × (confidence, x, y, w, h).
 * A box's score for a class is its confidence times the cell's score for that class (Redmon et al. 2015, equation 1), so a
 * box can come out once for each class. Boxes are cut at the image's edges; what has no area is left out.
 */
export function decode(map: ArrayLike<number>, options: DecodeOptions): Detection[] {
  const { split_size, num_boxes, num_classes, width, height, conf_threshold } = options;
  const pitch = num_classes + MAP_BOX * num_boxes;
  if (map.length !== split_size ** 2 * pitch) {
    throw new Error(`a map of ${map.length} numbers, expected ${split_size ** 2} cells of ${pitch}`);
  }
  const [sx, sy] = [width / split_size, height / split_size];
  const found: Detection[] = [];
  for (let cell = 0, start = 0; cell < split_size ** 2; cell++, start += pitch) {
    const column = cell % split_size, row = Math.floor(cell / split_size);
    for (let at = start + num_classes; at < start + pitch; at += MAP_BOX) {
      const confidence = map[at]!;
      // The numbers are not bounded, and two negative ones must not make a score.
      if (!(confidence > 0)) continue;
      const x = (column + map[at + 1]!) * sx, y = (row + map[at + 2]!) * sy;
      const w = map[at + 3]! * sx, h = map[at + 4]! * sy;
      const box = clipBox({ x1: x - w / 2, y1: y - h / 2, x2: x + w / 2, y2: y + h / 2 }, width, height);
      if (!(areaOf(box) > 0)) continue;
      for (let label = 0; label < num_classes; label++) {
        const score = confidence * map[start + label]!;
        if (score > conf_threshold) found.push({ box, label, score });
      }
    }
  }
  return found;
}
