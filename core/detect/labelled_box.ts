import type { Box } from "./box.ts";

/** A box that a person drew. */
export interface LabelledBox {
  /** In pixels of the image. */
  readonly box: Box;
  /** Index of the class. */
  readonly label: number;
  /** Hard to recognise, so neither finding nor missing it counts (PASCAL VOC). */
  readonly difficult: boolean;
  /** Only a part of the object can be seen. */
  readonly truncated: boolean;
}
