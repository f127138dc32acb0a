/** Loads the images of a data set ahead of the steps, and remembers those that are damaged. */
import type { Moment } from "../../core/data/dataset.ts";
import { permutation } from "../../core/random.ts";
import { UserError } from "../../core/errors.ts";
import type { FolderOptions } from "../datasets.ts";
import { DamagedImage } from "./pool.ts";

export interface LoaderOptions {
  readonly paths: readonly string[];
  /** Begins to decode and transform an image; may fail with `DamagedImage`. */
  readonly begin: (sample: number, at: Moment | undefined) => Promise<Uint8Array>;
  /** Told of each damaged file once, when it is first needed; undefined where it ends the run. */
  readonly skip: ((path: string, why: string) => void) | undefined;
  /** Where training will probably begin: images of its first batch are begun at once. */
  readonly beginsAt?: Beginning | undefined;
}

export interface Beginning extends Moment {
  /** Which image of the epoch's order is the first. */
  readonly place: number;
}

export interface ImageLoader {
  /** Pixels `[height, width, channels]` as `at` has them; undefined where the file is damaged. */
  load(sample: number, at: Moment | undefined): Promise<Uint8Array | undefined>;
}

/** Images that are begun before anybody asks for them, while the network is still being planned. */
const EARLY = 32;

export function createLoader({ paths, begin, skip, beginsAt }: LoaderOptions): ImageLoader {
  /** Files that could not be decoded, by their number. */
  const damaged = new Set<number>();
  const early = new Map<number, Promise<Uint8Array>>();
  if (beginsAt) {
    const { seed, epoch, place } = beginsAt;
    for (const sample of permutation(paths.length, seed, epoch).slice(place, place + EARLY)) {
      const image = begin(sample, beginsAt);
      image.catch(() => {}); // Told to whoever asks for it.
      early.set(sample, image);
    }
  }

  /** An image that was begun early, once, if it is the one that is wanted. */
  function takeEarly(sample: number, at: Moment | undefined): Promise<Uint8Array> | undefined {
    if (at?.seed !== beginsAt?.seed || at?.epoch !== beginsAt?.epoch) return undefined;
    const image = early.get(sample);
    early.delete(sample);
    return image;
  }

  return {
    async load(sample, at) {
      if (damaged.has(sample)) return undefined;
      try {
        return await (takeEarly(sample, at) ?? begin(sample, at));
      } catch (error) {
        if (!(error instanceof DamagedImage)) throw error;
        if (!skip) throw damagedFile(paths[sample]!, error.message);
        if (!damaged.has(sample)) skip(paths[sample]!, error.message);
        damaged.add(sample);
        return undefined;
      }
    },
  };
}

/** Of a new run, where nothing else is said. */
export function beginningOf({ seed, goesOnAt }: Pick<FolderOptions, "seed" | "goesOnAt">): Beginning {
  return { seed, epoch: 0, place: 0, ...goesOnAt };
}

export function damagedFile(path: string, why: string): UserError {
  return new UserError(`${path}: cannot be decoded (${why}); mend or remove it, or say --bad-images skip`);
}
