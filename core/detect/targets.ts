/** What YOLOv1 should answer: labelled boxes as the target of the op `yolo_loss`. */
import { DOES_NOT_COUNT, NO_OBJECT, TARGET_CELL } from "../ops/yolo_loss.ts";
import type { LabelledBox } from "./labelled_box.ts";

/** An image's boxes, and the extents in which they are measured. */
export interface BoxesOfImage {
  readonly width: number;
  readonly height: number;
  readonly objects: readonly LabelledBox[];
}

/** The cell in which the middle of each object lies: row by row from the left top, 0 … S² − 1. */
export function cellsOf({ width, height, objects }: BoxesOfImage, split_size: number): number[] {
  const place = (middle: number, extent: number) =>
    Math.min(Math.max(Math.floor(middle / extent * split_size), 0), split_size - 1);
  return objects.map(({ box: { x1, y1, x2, y2 } }) =>
    place((y1 + y2) / 2, height) * split_size + place((x1 + x2) / 2, width)
  );
}

/** How many objects find no place, since a cell can hold one: of several with their middles in it one stays. */
export function crowdedOut(image: BoxesOfImage, split_size: number): number {
  return image.objects.length - new Set(cellsOf(image, split_size)).size;
}

/**
 * Fills the target `[S·S·5]` of one image; the image is stretched to a square. A cell can hold one object: of several
 * the first, one that is not difficult before one that is. Returns how many found no place.
 */
export function fillTarget(target: Float32Array, image: BoxesOfImage, split_size: number): number {
  for (let at = 0; at < target.length; at += TARGET_CELL) target.set([NO_OBJECT, 0, 0, 0, 0], at);
  const { width, height, objects } = image;
  const [sx, sy] = [split_size / width, split_size / height];
  const cells = cellsOf(image, split_size);
  const order = [...objects.keys()].sort((a, b) =>
    Number(objects[a]!.difficult) - Number(objects[b]!.difficult)
  );
  let dropped = 0;
  for (const index of order) {
    const { label, box: { x1, y1, x2, y2 } } = objects[index]!;
    const cell = cells[index]!, at = cell * TARGET_CELL;
    if (target[at] !== NO_OBJECT) {
      dropped++;
      continue;
    }
    const x = (x1 + x2) / 2 * sx - cell % split_size;
    const y = (y1 + y2) / 2 * sy - Math.floor(cell / split_size);
    target.set([label, x, y, (x2 - x1) * sx, (y2 - y1) * sy], at);
  }
  return dropped;
}

/** The target of an image that only fills a batch up: none of its cells counts. */
export function fillEmptyTarget(target: Float32Array): void {
  for (let at = 0; at < target.length; at += TARGET_CELL) target.set([DOES_NOT_COUNT, 0, 0, 0, 0], at);
}
