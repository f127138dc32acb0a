/** Assembles batches for the op `image_batch`: bytes, where to crop and mirror them, and the targets. */
import { UserError } from "../errors.ts";
import { countOf, type Dataset, imageBytes, type Moment } from "./dataset.ts";

/** One batch, in arrays that are filled again for each; named as the graphs' inputs. */
export interface Batch {
  /** `[N, height, width, channels]` */
  readonly pixels: Uint8Array;
  /** `[N, 3]`: (top, left, flip) of each image. */
  readonly moves: Int32Array;
  /** `[N]`: class of each image, or `DOES_NOT_COUNT`. */
  readonly target: Int32Array;
}

/** Numbers in `moves` for an image. */
export const MOVES = 3;
/** The target of an image that takes no part in the loss and the scores. */
export const DOES_NOT_COUNT = -1;

export function allocateBatch(dataset: Dataset, batchSize: number): Batch {
  return {
    pixels: new Uint8Array(batchSize * imageBytes(dataset)),
    moves: new Int32Array(batchSize * MOVES),
    target: new Int32Array(batchSize),
  };
}

/**
 * Steps of an epoch. The last, incomplete batch is dropped; the images that it would have had are others in each epoch,
 * since each has an order of its own.
 */
export function trainSteps(dataset: Dataset, batchSize: number): number {
  const count = countOf(dataset);
  if (batchSize > count) {
    throw new UserError(
      `--batch-size ${batchSize}: ${dataset.name} has ${count} training images; use at most ${count}`,
    );
  }
  return Math.floor(count / batchSize);
}

/** Batches that hold each image once, the last one filled up. */
export function testSteps(dataset: Dataset, batchSize: number): number {
  return Math.ceil(countOf(dataset) / batchSize);
}

export interface TrainBatchPlace extends Moment {
  readonly step: number;
  /** `permutation(countOf(dataset), seed, epoch)`, made once an epoch. */
  readonly order: Uint32Array;
}

/** Fills the batch of a training step, which depends on nothing but its place: no state runs from batch to batch. */
export function fillTrainBatch(batch: Batch, dataset: Dataset, place: TrainBatchPlace): void | Promise<void> {
  const { step, order } = place;
  const { target } = batch;
  const samples = order.subarray(step * target.length, (step + 1) * target.length);
  samples.forEach((sample, slot) => target[slot] = dataset.labels[sample]!);
  return dataset.fill(batch, samples, place);
}

/**
 * Which image is at a place of a test on `tested` of a data set's images. Where that is not all, they are spread evenly
 * over it: files lie by class, and the first ones would all be of one.
 */
export function testedImage(dataset: Dataset, place: number, tested: number): number {
  return Math.floor((place + 0.5) * countOf(dataset) / tested);
}

/**
 * Fills batch `step` of a test on `tested` images in their order, unmoved. Past the last one it repeats that, which then
 * does not count.
 */
export function fillTestBatch(
  batch: Batch,
  dataset: Dataset,
  step: number,
  tested = countOf(dataset),
): void | Promise<void> {
  const { target } = batch;
  const place = (slot: number) => step * target.length + slot;
  const samples = Uint32Array.from(
    target,
    (_, slot) => testedImage(dataset, Math.min(place(slot), tested - 1), tested),
  );
  samples.forEach((sample, slot) => {
    target[slot] = place(slot) < tested ? dataset.labels[sample]! : DOES_NOT_COUNT;
  });
  return dataset.fill(batch, samples, undefined);
}
