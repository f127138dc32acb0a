/** Single files as a network wants them: what `predict` needs. */
import type { Image } from "../../core/data/transforms/image.ts";
import type { Transform } from "../../core/data/transforms/mod.ts";
import { DamagedImage, type ImagePool, LostImage } from "./pool.ts";

export interface PrepareOptions {
  /** Channels, height, width of what the network takes. */
  readonly input: readonly [number, number, number];
  /** What is done to each file, see core/predict/preparation.ts. */
  readonly transforms: readonly Transform[];
  readonly maxPixels: number;
}

/** Bytes for the network's input `pixels`, `[height, width, channels]`, or why the file can't be decoded. */
export type Prepared = { readonly path: string; readonly image: Image } | {
  readonly path: string;
  readonly damaged: string;
};

/** Decodes and transforms files, in their order. */
export async function prepareImages(
  paths: readonly string[],
  pool: ImagePool,
  { input: [channels, height, width], transforms, maxPixels }: PrepareOptions,
): Promise<Prepared[]> {
  return await Promise.all(paths.map(async (path): Promise<Prepared> => {
    try {
      const data = await pool.load({ path, channels, maxPixels, transforms, at: undefined });
      return { path, image: { width, height, channels, data } };
    } catch (error) {
      if (error instanceof DamagedImage) return { path, damaged: error.message };
      if (error instanceof LostImage) return { path, damaged: error.why };
      throw error;
    }
  }));
}

/** The same, `size` files at a time; while one batch is used, the next is prepared. */
export async function* prepareBatches(
  paths: readonly string[],
  size: number,
  pool: ImagePool,
  options: PrepareOptions,
): AsyncGenerator<Prepared[]> {
  const begin = (start: number) => {
    const images = prepareImages(paths.slice(start, start + size), pool, options);
    images.catch(() => {}); // A failure is told to whoever waits for the batch.
    return images;
  };
  let next = begin(0);
  for (let start = size; start < paths.length + size; start += size) {
    const batch = await next;
    next = begin(start);
    yield batch;
  }
}
