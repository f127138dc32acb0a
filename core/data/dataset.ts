/** Data sets: labelled images, however they are kept, that can be put into batches. */
import type { Batch } from "./batches.ts";

export interface Dataset {
  readonly name: string;
  readonly classes: readonly string[];
  /** Of the images as they go into a batch. */
  readonly width: number;
  readonly height: number;
  readonly channels: number;
  /** Index into `classes` of each image. */
  readonly labels: Uint8Array | Uint16Array;
  /** What an image is called, where it is a file. */
  readonly nameOf?: (sample: number) => string;
  /** How many batches are put together ahead of the one that runs: 1 where `fill` is done when it returns. */
  readonly ahead: number;
  /**
   * Puts `samples[i]` into slot i of the batch, its pixels and moves, as training sees them at `at`, or else as an
   * evaluation does. A pure function of its arguments. An image that an evaluation can't have gets the target
   * `DOES_NOT_COUNT`.
   */
  fill(batch: Batch, samples: Uint32Array, at: Moment | undefined): void | Promise<void>;
  /** Bytes that are others for any other images or labels, see fingerprint.ts. */
  contents(): readonly Uint8Array[];
}

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
export interface DatasetSplit<D extends Dataset = Dataset> {
  readonly train: D;
  readonly test: D;
  readonly normalize: Normalize;
  /** What the user should know about where the data came from; usually empty. */
  readonly notes: readonly string[];
  /** Ends what works in the background, where something does. */
  readonly close?: () => void;
}

/** Number of images. */
export function countOf(dataset: Dataset): number {
  return dataset.labels.length;
}

/** Bytes of one image in a batch. */
export function imageBytes(
  { width, height, channels }: Pick<Dataset, "width" | "height" | "channels">,
): number {
  return width * height * channels;
}
