/** Labelled images for detectors, however their files describe them. */
import type { Box } from "../../detect/box.ts";
import type { LabelledBox } from "../../detect/labelled_box.ts";

export interface Size {
  readonly width: number;
  readonly height: number;
}

/** A box as an annotation has it: its class is a name. */
export interface NamedBox extends Omit<LabelledBox, "label"> {
  readonly name: string;
}

/** All that is known of one image of a data set, right or wrong. */
export interface Sample {
  /** Path from the data set's folder without the ending; what lists of images call it. */
  readonly name: string;
  /** Path of the image; undefined where there is an annotation only. */
  readonly image: string | undefined;
  /** Path of the annotation; undefined where there is an image only. */
  readonly annotation: string | undefined;
  /** The lists that it is on: train, val, … */
  readonly sets: readonly string[];
  /** The image's own size; undefined where it cannot be read. */
  readonly size: Size | undefined;
  /** What the annotation says that it is; undefined where it says nothing. */
  readonly stated?: Size | undefined;
  readonly objects: readonly NamedBox[];
  /** Why the image cannot be read. */
  readonly damage?: string | undefined;
  /** Why the annotation cannot be read. */
  readonly fault?: string | undefined;
}

/** An image that a detector can be trained or judged on. */
export interface AnnotatedImage extends Size {
  readonly name: string;
  readonly path: string;
  /** In pixels, within the image. */
  readonly objects: readonly LabelledBox[];
}

/** Width and height of a box. */
export function sidesOf({ x1, y1, x2, y2 }: Box): [number, number] {
  return [x2 - x1, y2 - y1];
}

/** The names of all classes that occur, in the order of the alphabet, and numbers in theirs. */
export function classesIn(samples: readonly Sample[]): string[] {
  const names = new Set(samples.flatMap(({ objects }) => objects.map(({ name }) => name)));
  return [...names].sort((a, b) => a.localeCompare(b, "en", { numeric: true }));
}
