/** Data sets whose images are all in memory and of one size. */
import { draw, integer } from "../random.ts";
import { type Batch, MOVES } from "./batches.ts";
import { type Dataset, imageBytes, type Moment } from "./dataset.ts";

export interface MemoryImages extends Pick<Dataset, "name" | "classes" | "width" | "height" | "channels"> {
  /** `[N, height, width, channels]`: channels interleaved, as image files have them. */
  readonly images: Uint8Array;
  readonly labels: Uint8Array;
}

export type MemoryDataset = MemoryImages & Dataset;

/** How training moves images of one size, which the op `image_batch` does on their way into the network. */
export interface Movement {
  /** RandomCrop to the image's own size, after this many black pixels were added on each side. */
  readonly padding: number;
  /** RandomHorizontalFlip with probability a half. */
  readonly flip: boolean;
}

export function inMemory(data: MemoryImages, movement: Movement): MemoryDataset {
  const size = imageBytes(data);
  return {
    ...data,
    ahead: 1,
    fill({ pixels, moves }, samples, at) {
      samples.forEach((sample, slot) => {
        pixels.set(data.images.subarray(sample * size, (sample + 1) * size), slot * size);
        if (at) move(moves, slot, sample, movement, at);
      });
      if (!at) moves.fill(0);
    },
    contents: () => [data.images, data.labels],
  };
}

function move(
  moves: Batch["moves"],
  slot: number,
  sample: number,
  { padding, flip }: Movement,
  { seed, epoch }: Moment,
): void {
  const [top, left] = draw(seed, "crop", epoch, sample);
  const [coin] = draw(seed, "flip", epoch, sample);
  moves[slot * MOVES] = integer(top, 2 * padding + 1) - padding;
  moves[slot * MOVES + 1] = integer(left, 2 * padding + 1) - padding;
  moves[slot * MOVES + 2] = flip ? integer(coin, 2) : 0;
}

/** The images at `indices`, in that order. */
export function pick(data: MemoryImages, indices: readonly number[]): MemoryImages {
  const size = imageBytes(data);
  const images = new Uint8Array(indices.length * size);
  indices.forEach((index, i) => images.set(data.images.subarray(index * size, (index + 1) * size), i * size));
  return { ...data, images, labels: Uint8Array.from(indices, (index) => data.labels[index]!) };
}
