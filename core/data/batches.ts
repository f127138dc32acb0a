/** Assembles batches for the op `image_batch`: bytes, where to crop and mirror them, and the targets. */
import { UserError } from "../errors.ts";
import { permutation } from "../random.ts";
import { sizeOf } from "../shape.ts";
import { imageBytes, type ImageSet, type Moment } from "./dataset.ts";

/** One batch, in arrays that are filled again for each; named as the graphs' inputs. */
export interface Batch {
  /** `[N, height, width, channels]` */
  readonly pixels: Uint8Array;
  /** `[N, 3]`: (top, left, flip) of each image. */
  readonly moves: Int32Array;
  /** `[N, …]`: what each image's answer should be, as the data set has it: a class is `[N]`, or `DOES_NOT_COUNT`. */
  readonly target: Int32Array | Float32Array;
}

/** Numbers in `moves` for an image. */
export const MOVES = 3;
/** For a class: the target of an image that takes no part in the loss and the scores. */
export const DOES_NOT_COUNT = -1;

export function allocateBatch(dataset: ImageSet, batchSize: number): Batch {
  const { dtype, shape } = dataset.target;
  const numbers = batchSize * sizeOf(shape);
  return {
    pixels: new Uint8Array(batchSize * imageBytes(dataset)),
    moves: new Int32Array(batchSize * MOVES),
    target: dtype === "i32" ? new Int32Array(numbers) : new Float32Array(numbers),
  };
}

/**
 * Steps of an epoch. The last, incomplete batch is dropped; which images are left out differs from epoch to epoch, since each
 * has an order of its own.
 */
export function trainSteps(dataset: ImageSet, batchSize: number): number {
  const { count } = dataset;
  if (batchSize > count) {
    throw new UserError(
      `--batch-size ${batchSize}: ${dataset.name} has ${count} training images; use at most ${count}`,
    );
  }
  return Math.floor(count / batchSize);
}

/** Batches that hold each image once, the last one filled up. */
export function testSteps(dataset: ImageSet, batchSize: number): number {
  return Math.ceil(dataset.count / batchSize);
}

export interface TrainBatchPlace extends Moment {
  readonly step: number;
  /** `permutation(dataset.count, seed, epoch)`, made once an epoch. */
  readonly order: Uint32Array;
}

/** Fills the batch of a training step, which depends on nothing but its place: no state runs from batch to batch. */
export function fillTrainBatch(
  batch: Batch,
  dataset: ImageSet,
  place: TrainBatchPlace,
): void | Promise<void> {
  const { step, order } = place;
  const slots = slotsOf(batch);
  return dataset.fill(batch, order.subarray(step * slots, (step + 1) * slots), place);
}

/** Fills training batches, with the order of the epoch at hand. */
export function trainFiller(dataset: ImageSet, seed: number) {
  let order: { epoch: number; samples: Uint32Array } = { epoch: -1, samples: new Uint32Array() };
  return (batch: Batch, { epoch, step }: Pick<TrainBatchPlace, "epoch" | "step">): void | Promise<void> => {
    if (order.epoch !== epoch) order = { epoch, samples: permutation(dataset.count, seed, epoch) };
    return fillTrainBatch(batch, dataset, { seed, epoch, step, order: order.samples });
  };
}

/**
 * Which image is at a place of a test on `tested` of a data set's images. Where that is not all, they are spread evenly
 * over it: files lie by class, and the first ones would all be of one.
 */
export function testedImage(dataset: ImageSet, place: number, tested: number): number {
  return Math.floor((place + 0.5) * dataset.count / tested);
}

/** Fills batch `step` of a test on `tested` images in their order, unmoved. What lies past the last one does not count. */
export function fillTestBatch(
  batch: Batch,
  dataset: ImageSet,
  step: number,
  tested = dataset.count,
): void | Promise<void> {
  const slots = slotsOf(batch);
  const first = step * slots;
  const samples = Uint32Array.from(
    { length: Math.min(slots, tested - first) },
    (_, slot) => testedImage(dataset, first + slot, tested),
  );
  return dataset.fill(batch, samples, undefined);
}

/** Sets the targets of images that are of one class each. */
export function fillClasses({ target }: Batch, labels: ArrayLike<number>, samples: Uint32Array): void {
  samples.forEach((sample, slot) => target[slot] = labels[sample]!);
  target.fill(DOES_NOT_COUNT, samples.length);
}

/** How many images a batch holds. */
function slotsOf({ moves }: Batch): number {
  return moves.length / MOVES;
}
