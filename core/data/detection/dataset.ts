/** Data sets of images with boxes. */
import type { LabelledBox } from "../../detect/labelled_box.ts";
import type { ImageSet, Moment } from "../dataset.ts";
import type { AnnotatedImage } from "./sample.ts";

/** Images whose target is that of `yolo_loss`: of each cell the object in it. */
export interface DetectionDataset extends ImageSet {
  /** The images as they are: sizes and boxes in pixels of the file. */
  readonly images: readonly AnnotatedImage[];
  /** Cells in a row of the target. */
  readonly split_size: number;
  /** The objects in the pixels that a batch gets, `width` × `height`, at a moment or as an evaluation shows them. */
  objects(sample: number, at: Moment | undefined): readonly LabelledBox[];
  pick(indices: Uint32Array): DetectionDataset;
}
