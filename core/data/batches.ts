/** Assembles batches for the op `image_batch`: bytes, where to crop and mirror them, and the targets. */
import { UserError } from "../errors.ts";
import { draw, integer } from "../random.ts";
import { countOf, type Dataset, imageBytes, type Transforms } from "./dataset.ts";

/** One batch, in arrays that are filled again for each; named as the graphs' inputs. */
export interface Batch {
  /** `[N, height, width, channels]` */
  readonly pixels: Uint8Array;
  /** `[N, 3]`: (top, left, flip) of each image. */
  readonly moves: Int32Array;
  /** `[N]`: class of each image; −1 where the image does not count. */
  readonly target: Int32Array;
}

const MOVES = 3;
const DOES_NOT_COUNT = -1;

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

export interface TrainBatchPlace {
  readonly seed: number;
  readonly epoch: number;
  readonly step: number;
  /** `permutation(countOf(dataset), seed, epoch)`, made once an epoch. */
  readonly order: Uint32Array;
}

/** Fills the batch of a training step, which depends on nothing but its place: no state runs from batch to batch. */
export function fillTrainBatch(
  { pixels, moves, target }: Batch,
  dataset: Dataset,
  { padding, flip }: Transforms,
  { seed, epoch, step, order }: TrainBatchPlace,
): void {
  for (let slot = 0; slot < target.length; slot++) {
    const sample = order[step * target.length + slot]!;
    copyImage(pixels, slot, dataset, sample);
    target[slot] = dataset.labels[sample]!;
    const [top, left] = draw(seed, "crop", epoch, sample);
    const [coin] = draw(seed, "flip", epoch, sample);
    moves[slot * MOVES] = integer(top, 2 * padding + 1) - padding;
    moves[slot * MOVES + 1] = integer(left, 2 * padding + 1) - padding;
    moves[slot * MOVES + 2] = flip ? integer(coin, 2) : 0;
  }
}

/** Fills batch `step` of the images in their order, unmoved. Past the last image it repeats that one, with target −1. */
export function fillTestBatch({ pixels, moves, target }: Batch, dataset: Dataset, step: number): void {
  const count = countOf(dataset);
  moves.fill(0);
  for (let slot = 0; slot < target.length; slot++) {
    const sample = step * target.length + slot;
    copyImage(pixels, slot, dataset, Math.min(sample, count - 1));
    target[slot] = dataset.labels[sample] ?? DOES_NOT_COUNT;
  }
}

function copyImage(pixels: Uint8Array, slot: number, dataset: Dataset, sample: number): void {
  const size = imageBytes(dataset);
  pixels.set(dataset.images.subarray(sample * size, (sample + 1) * size), slot * size);
}
