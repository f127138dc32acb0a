/** A data set of image files: batches are decoded and transformed by the pool, ahead of the steps. */
import { type Batch, DOES_NOT_COUNT } from "../../core/data/batches.ts";
import { type Dataset, imageBytes, type Moment } from "../../core/data/dataset.ts";
import type { Transform } from "../../core/data/transforms/mod.ts";
import { permutation } from "../../core/random.ts";
import { UserError } from "../../core/errors.ts";
import type { LabelledFile } from "./files.ts";
import { DamagedImage, type ImagePool } from "./pool.ts";

export interface FileDatasetOptions
  extends Pick<Dataset, "name" | "classes" | "width" | "height" | "channels"> {
  readonly files: readonly LabelledFile[];
  readonly pool: ImagePool;
  readonly maxPixels: number;
  readonly training: readonly Transform[];
  readonly evaluation: readonly Transform[];
  /** Told of each damaged file once, when it is first needed; undefined where it ends the run. */
  readonly skip: ((path: string, why: string) => void) | undefined;
  /** Where training will probably begin: the images of its first batch are begun at once. */
  readonly beginsAt?: Moment;
}

/** Images that are begun before anybody asks for them, while the network is still being planned. */
const EARLY = 32;

/** Batches begun ahead of the one that runs: more would only take memory. */
const AHEAD = 3;

export function fileDataset(options: FileDatasetOptions): Dataset {
  const { name, classes, width, height, channels, files, pool, maxPixels, skip } = options;
  const size = imageBytes(options);
  /** Files that could not be decoded, by their number. */
  const damaged = new Set<number>();

  function begin(sample: number, at: Moment | undefined): Promise<Uint8Array> {
    const transforms = at ? options.training : options.evaluation;
    const moment = at && { seed: at.seed, epoch: at.epoch, sample };
    return pool.load({ path: files[sample]!.path, channels, maxPixels, transforms, at: moment });
  }

  const { beginsAt } = options;
  const early = new Map<number, Promise<Uint8Array>>();
  if (beginsAt) {
    for (const sample of permutation(files.length, beginsAt.seed, beginsAt.epoch).slice(0, EARLY)) {
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

  async function load(sample: number, at: Moment | undefined): Promise<Uint8Array | undefined> {
    if (damaged.has(sample)) return undefined;
    const { path } = files[sample]!;
    try {
      return await (takeEarly(sample, at) ?? begin(sample, at));
    } catch (error) {
      if (!(error instanceof DamagedImage)) throw error;
      if (!skip) throw damagedFile(path, error.message);
      if (!damaged.has(sample)) skip(path, error.message);
      damaged.add(sample);
      return undefined;
    }
  }

  /**
   * Training takes the next image of the class for one that can't be decoded: a function of the files alone, so that a
   * resumed run does the same.
   */
  async function loadOrNext(sample: number, at: Moment): Promise<Uint8Array> {
    const { label } = files[sample]!;
    for (let i = 0; i < files.length; i++) {
      const other = (sample + i) % files.length;
      if (files[other]!.label !== label) continue;
      const pixels = await load(other, at);
      if (pixels) return pixels;
    }
    throw new UserError(`${name}: no image of the class ${classes[label]} can be decoded`);
  }

  async function fillSlot({ pixels, target }: Batch, slot: number, sample: number, at: Moment | undefined) {
    // What only fills up a batch need not be decoded.
    const counts = target[slot] !== DOES_NOT_COUNT;
    const image = at ? await loadOrNext(sample, at) : counts ? await load(sample, undefined) : undefined;
    if (image) return pixels.set(image, slot * size);
    pixels.fill(0, slot * size, (slot + 1) * size);
    target[slot] = DOES_NOT_COUNT;
  }

  return {
    name,
    classes,
    width,
    height,
    channels,
    nameOf: (sample) => files[sample]!.name,
    labels: Uint16Array.from(files, ({ label }) => label),
    ahead: AHEAD,
    async fill(batch, samples, at) {
      batch.moves.fill(0);
      await Promise.all(Array.from(samples, (sample, slot) => fillSlot(batch, slot, sample, at)));
    },
    contents: () => [
      new TextEncoder().encode(files.map(({ name, bytes }) => `${name} ${bytes}\n`).join("")),
      Uint8Array.from(files.flatMap(({ label }) => [label & 255, label >> 8])),
    ],
  };
}

export function damagedFile(path: string, why: string): UserError {
  return new UserError(`${path}: cannot be decoded (${why}); mend or remove it, or say --bad-images skip`);
}
