/** Data sets: labelled images, however they are kept, that can be put into batches. */
import type { Batch } from "./batches.ts";

/** Images with something to learn of each, whatever that is. */
export interface ImageSet {
  readonly name: string;
  readonly classes: readonly string[];
  /** Of the images as they go into a batch. */
  readonly width: number;
  readonly height: number;
  readonly channels: number;
  /** How many images there are. */
  readonly count: number;
  /** What of each image goes into a batch's `target`. */
  readonly target: TargetType;
  /** What an image is called, where it is a file. */
  readonly nameOf?: (sample: number) => string;
  /** How many batches are put together ahead of the one that runs: 1 where this thread does it. */
  readonly ahead: number;
  /**
   * Puts `samples[i]` into slot i of the batch: its pixels, moves and target, as training sees them at `at`, or else as an
   * evaluation does. A pure function of its arguments. A slot beyond the samples, and an image that an evaluation can't
   * have, get a target that does not count. What takes more time than copying is best done elsewhere, so
   * that this thread notices when a step has ended.
   */
  fill(batch: Batch, samples: Uint32Array, at: Moment | undefined): void | Promise<void>;
  /** The images at `indices`, in that order, always as an evaluation shows them. */
  pick(indices: Uint32Array): ImageSet;
  /** Bytes that differ wherever images or labels differ, see fingerprint.ts. */
  contents(): readonly Uint8Array[];
}

/** Batches begun ahead of the one that runs, where others do it: more would only take memory. */
export const AHEAD = 3;

/** Numbers in the target of an image. */
export interface TargetType {
  readonly dtype: "i32" | "f32";
  readonly shape: readonly number[];
}

/** Images each of which is of one class, its target. */
export interface Dataset extends ImageSet {
  /** Index into `classes` of each image. */
  readonly labels: Uint8Array | Uint16Array;
  /** The same images, of which an evaluation sees one of TenCrop's parts; absent where images are of the network's size. */
  readonly tenCrop?: (index: number) => Dataset;
  pick(indices: Uint32Array): Dataset;
}

/** The target of an image that is of one class. */
export const classTarget: TargetType = { dtype: "i32", shape: [] };

/** What random transforms depend on, beside the sample. */
export interface Moment {
  readonly seed: number;
  readonly epoch: number;
}

/** What is subtracted from and divides each channel, in units of the 0…1 image. */
export interface Normalize {
  readonly mean: readonly number[];
  readonly std: readonly number[];
}

/** A data set that is ready to train and test on. */
export interface DatasetSplit<D extends ImageSet = Dataset> {
  readonly train: D;
  readonly test: D;
  readonly normalize: Normalize;
  /** What the user should know about where the data came from; usually empty. */
  readonly notes: readonly string[];
  /** Ends the workers of the data set, where it has some. */
  readonly close?: () => void;
}

/** Bytes of one image in a batch. */
export function imageBytes(
  { width, height, channels }: Pick<ImageSet, "width" | "height" | "channels">,
): number {
  return width * height * channels;
}
