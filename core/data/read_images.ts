import { allocateBatch } from "./batches.ts";
import { imageBytes, type ImageSet } from "./dataset.ts";
import type { Image } from "./transforms/image.ts";

/** The images at `samples` as an evaluation sees them, before they are normalised. */
export async function readImages(dataset: ImageSet, samples: readonly number[]): Promise<Image[]> {
  const { width, height, channels } = dataset;
  const batch = allocateBatch(dataset, samples.length);
  await dataset.fill(batch, Uint32Array.from(samples), undefined);
  const size = imageBytes(dataset);
  return samples.map((_, slot) => ({
    width,
    height,
    channels,
    data: batch.pixels.slice(slot * size, (slot + 1) * size),
  }));
}
