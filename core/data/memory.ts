/** Data sets whose images are all in memory and of one size. */
import { draw, integer } from "../random.ts";
import { type Batch, fillClasses, MOVES } from "./batches.ts";
import { type ChangeImages, changeImages } from "./change.ts";
import { type Augmentation, augmentationTransforms, noAugmentation } from "./augmentation.ts";
import {
  AHEAD,
  classTarget,
  type Dataset,
  type DatasetSplit,
  imageBytes,
  type Moment,
  type Normalize,
} from "./dataset.ts";
import { pickClassified } from "./pick.ts";
import { isFlipped, type Transform } from "./transforms/mod.ts";

/** Images of one size with their classes, as bytes. */
export interface MemoryImages extends Pick<Dataset, "name" | "classes" | "width" | "height" | "channels"> {
  /** `[N, height, width, channels]`: channels interleaved, as image files have them. */
  readonly images: Uint8Array;
  /** Index into `classes` of each image. */
  readonly labels: Uint8Array;
}

/** What becomes of the images on their way into a network. */
export interface Handling {
  /** In training, RandomCrop to the image's own size, after this many black pixels were added on each side. */
  readonly padding: number;
  /** In training, the probability of RandomHorizontalFlip. */
  readonly hflip: number;
  /** In training, what follows these two. */
  readonly augmentation?: readonly Transform[];
  /** Channels, height and width that the network takes, where they are not the images' own. */
  readonly input?: readonly [number, number, number];
  /** Changes images in workers, ahead of the steps; without it this thread does. */
  readonly change?: ChangeImages;
}

/** A data set in memory, and what it was made of. */
export interface MemoryDataset extends Dataset {
  readonly labels: Uint8Array;
  /** As they are kept. */
  readonly stored: MemoryImages;
  readonly handling: Handling;
}

/**
 * A data set of images that are in memory.
 *
 * ```ts
 * import assert from "node:assert/strict";
 *
 * const images = Uint8Array.from({ length: 4 * 8 * 8 * 3 }, (_, i) => i % 256);
 * const stored = { name: "mine", classes: ["cat", "dog"], width: 8, height: 8, channels: 3, images };
 * const data = inMemory({ ...stored, labels: Uint8Array.of(0, 1, 1, 0) }, { padding: 2, hflip: 0.5 });
 * assert.equal(data.count, 4);
 * assert.deepEqual([...data.pick(Uint32Array.of(3, 1)).labels], [0, 1]);
 * ```
 */
export function inMemory(stored: MemoryImages, handling: Handling): MemoryDataset {
  const { name, classes, labels } = stored;
  const [channels, height, width] = handling.input ?? [stored.channels, stored.height, stored.width];
  const isOwnSize = channels === stored.channels && height === stored.height && width === stored.width;
  const pixelTransforms = handling.augmentation ?? [];
  const isChanged = !isOwnSize || pixelTransforms.length > 0;
  const ahead = isChanged && handling.change ? AHEAD : 1;
  const size = { width, height, channels, count: labels.length, target: classTarget };
  const dataset = { name, classes, ...size, labels, stored, handling, ahead };
  const made: MemoryDataset = {
    ...dataset,
    fill(batch, samples, at) {
      fillClasses(batch, labels, samples);
      if (!isOwnSize || (at && pixelTransforms.length > 0)) return change(batch, samples, at);
      samples.forEach((sample, slot) => {
        batch.pixels.set(pixelsOf(stored, sample), slot * imageBytes(stored));
        if (at) move(batch.moves, slot, sample, handling, at);
      });
      if (!at) batch.moves.fill(0);
    },
    pick: (indices) => pickClassified(made, indices),
    contents: () => [stored.images, labels],
  };
  return made;

  /** What the op `image_batch` can't do: the same moves before it, and then all other transforms. */
  async function change(
    { pixels, moves }: Batch,
    samples: Uint32Array,
    at: Moment | undefined,
  ): Promise<void> {
    moves.fill(0);
    const { width, height, channels } = stored;
    const { padding, hflip } = handling;
    const transforms: Transform[] = [
      ...at
        ? [{ name: "RandomCrop", padding }, { name: "RandomHorizontalFlip", probability: hflip }] as const
        : [],
      ...isOwnSize ? [] : [{ name: "Resize", size: [dataset.height, dataset.width] }] as const,
      ...at ? pixelTransforms : [],
    ];
    const { channels: wanted } = dataset;
    const changeAll = handling.change ?? changeImages;
    const starts = Array.from({ length: Math.ceil(samples.length / TOGETHER) }, (_, i) => i * TOGETHER);
    await Promise.all(starts.map(async (start) => {
      const some = [...samples.subarray(start, start + TOGETHER)];
      // Copies: what is sent to a worker takes along all that its buffer holds.
      const images = some.map((sample) => ({
        width,
        height,
        channels,
        data: pixelsOf(stored, sample).slice(),
      }));
      const changed = await changeAll({ images, samples: some, channels: wanted, transforms, at });
      pixels.set(changed, start * imageBytes(dataset));
    }));
  }
}

/** Images that are changed together: few enough that several workers have some of a batch. */
const TOGETHER = 16;

/** What `rehandle` changes of a data set's handling; the rest stays. */
export interface SplitChanges extends Partial<Omit<Handling, "augmentation">> {
  readonly augmentation?: Augmentation;
}

/** The same images, handled otherwise. */
export function rehandle(
  split: DatasetSplit<MemoryDataset>,
  { augmentation = noAugmentation, ...changes }: SplitChanges,
): DatasetSplit<MemoryDataset> {
  const normalize = normalizeFor(changes.input?.[0] ?? split.train.channels, split.normalize);
  const handling = { ...changes, augmentation: augmentationTransforms(augmentation, normalize) };
  const again = ({ stored, handling: before }: MemoryDataset) => inMemory(stored, { ...before, ...handling });
  return { ...split, train: again(split.train), test: again(split.test), normalize };
}

/** The constants for images that were made grey, or three equal channels of grey. */
function normalizeFor(channels: number, { mean, std }: Normalize): Normalize {
  if (channels === mean.length) return { mean, std };
  const average = (values: readonly number[]) =>
    values.reduce((sum, value) => sum + value, 0) / values.length;
  return { mean: Array(channels).fill(average(mean)), std: Array(channels).fill(average(std)) };
}

function pixelsOf(stored: MemoryImages, sample: number): Uint8Array {
  const size = imageBytes(stored);
  return stored.images.subarray(sample * size, (sample + 1) * size);
}

function move(
  moves: Batch["moves"],
  slot: number,
  sample: number,
  { padding, hflip }: Handling,
  { seed, epoch }: Moment,
): void {
  const [top, left] = draw(seed, "crop", epoch, sample);
  const [coin] = draw(seed, "flip", epoch, sample);
  moves[slot * MOVES] = integer(top, 2 * padding + 1) - padding;
  moves[slot * MOVES + 1] = integer(left, 2 * padding + 1) - padding;
  moves[slot * MOVES + 2] = isFlipped(coin, hflip) ? 1 : 0;
}

/** The images at `indices`, in that order. */
export function pick(data: MemoryImages, indices: readonly number[]): MemoryImages {
  const size = imageBytes(data);
  const images = new Uint8Array(indices.length * size);
  indices.forEach((index, i) => images.set(pixelsOf(data, index), i * size));
  return { ...data, images, labels: Uint8Array.from(indices, (index) => data.labels[index]!) };
}
