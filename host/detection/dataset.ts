/** `--dataset boxes`: a folder of labelled images as data sets to train a detector and to test it on. */
import { basename, resolve } from "node:path";
import { AHEAD, type DatasetSplit, imageBytes, type Moment } from "../../core/data/dataset.ts";
import {
  type DetectionAugmentation,
  randomView,
  type View,
  viewObjects,
  wholeView,
} from "../../core/data/detection/augment.ts";
import type { DetectionDataset } from "../../core/data/detection/dataset.ts";
import type { AnnotatedImage } from "../../core/data/detection/sample.ts";
import type { Transform } from "../../core/data/transforms/mod.ts";
import { crowdedOut, fillEmptyTarget, fillTarget } from "../../core/detect/targets.ts";
import { UserError } from "../../core/errors.ts";
import { TARGET_CELL } from "../../core/ops/yolo_loss.ts";
import { stream } from "../../core/random.ts";
import { sizeOf } from "../../core/shape.ts";
import { normalizeFor } from "../../core/data/imagenet.ts";
import type { FolderOptions } from "../datasets.ts";
import { beginningOf, createLoader, type LoaderOptions } from "../images/loader.ts";
import { createImagePool, type ImagePool } from "../images/pool.ts";
import { readAnnotated } from "./annotated.ts";
import { splitOf } from "./split.ts";

export interface DetectionOptions extends Omit<FolderOptions, "scale" | "resize"> {
  /** Channels, height, width of what the network takes: the whole image is stretched to it. */
  readonly input: readonly [number, number, number];
  /** Cells in a row of the network's answer. */
  readonly split_size: number;
  /** How training images are varied; undefined for not at all. */
  readonly augmentation: DetectionAugmentation | undefined;
  /** The classes, where they are known: of weights, in their order. */
  readonly classes?: readonly string[] | undefined;
  /** The list (train, val, …) to test on, where only that is wanted. */
  readonly list?: string | undefined;
}

/** Reads all annotations and the headers of all images. Throws `UserError` at the first thing that cannot be used. */
export async function loadDetection(
  folder: string,
  options: DetectionOptions,
): Promise<DatasetSplit<DetectionDataset>> {
  const { testOnly, workers, badImages, note, onDamaged } = options;
  const found = await readAnnotated(folder, options);
  const split = splitOf(found, folder, { ...options, testAll: testOnly === "new" });
  const images = (indices: readonly number[]) => indices.map((index) => found.images[index]!);
  const [train, test] = [images(testOnly ? [] : split.train), images(split.test)];
  if (!testOnly) expectObjects(train, `${folder}: no image to train on has an object`);
  expectObjects(test, `${folder}: no image to test on has an object that is not difficult`);
  const pool = createImagePool(workers);
  let damaged = 0;
  const skip = (file: string, why: string) => {
    onDamaged?.({ file, why });
    note(`${file}: cannot be decoded (${why}) and is skipped, as ${++damaged} now`);
  };
  const common = {
    ...options,
    name: basename(resolve(folder)),
    classes: found.classes,
    pool,
    skip: badImages === "skip" ? skip : undefined,
  };
  return {
    train: detectionDataset({ ...common, images: train, beginsAt: beginningOf(options) }),
    test: detectionDataset({ ...common, images: test, augmentation: undefined }),
    normalize: normalizeFor(options.input[0]),
    notes: [...found.notes, ...split.notes, ...crowded(train, options.split_size)],
    close: () => pool.close(),
  };
}

/** Tells how many objects the network cannot be taught. */
function crowded(images: readonly AnnotatedImage[], split_size: number): string[] {
  const dropped = images.reduce((sum, image) => sum + crowdedOut(image, split_size), 0);
  if (dropped === 0) return [];
  const all = images.reduce((sum, { objects }) => sum + objects.length, 0);
  return [
    `${dropped} of ${all} objects share a cell of ${split_size}×${split_size} with another one and are not learnt`,
  ];
}

function expectObjects(images: readonly AnnotatedImage[], otherwise: string): void {
  if (!images.some(({ objects }) => objects.some(({ difficult }) => !difficult))) {
    throw new UserError(otherwise);
  }
}

interface DatasetOptions
  extends
    Pick<DetectionOptions, "input" | "split_size" | "augmentation" | "maxPixels">,
    Pick<LoaderOptions, "skip" | "beginsAt"> {
  readonly name: string;
  readonly classes: readonly string[];
  readonly images: readonly AnnotatedImage[];
  readonly pool: ImagePool;
}

function detectionDataset(options: DatasetOptions): DetectionDataset {
  const { name, classes, images, input, split_size, augmentation, pool, maxPixels, skip, beginsAt } = options;
  const [channels, height, width] = input;
  const size = [height, width] as const;
  const bytes = imageBytes({ width, height, channels });
  const shape = [split_size * split_size * TARGET_CELL];
  const numbers = sizeOf(shape);

  function viewOf(sample: number, at: Moment | undefined): View {
    const image = images[sample]!;
    if (!at || !augmentation) return wholeView(image);
    return randomView(image, augmentation, (purpose) => stream(at.seed, purpose, at.epoch, sample));
  }

  const objects = (sample: number, at: Moment | undefined) =>
    viewObjects(images[sample]!.objects, viewOf(sample, at), size);

  const { load } = createLoader({
    paths: images.map(({ path }) => path),
    skip,
    beginsAt: images.length > 0 ? beginsAt : undefined,
    begin(sample, at) {
      const transforms: Transform[] = [{ name: "View", view: viewOf(sample, at), size }];
      // The view is drawn here, where the boxes follow it.
      return pool.load({ path: images[sample]!.path, channels, maxPixels, transforms, at: undefined });
    },
  });

  /** Training takes the next image for one that can't be decoded: a function of the files alone. */
  async function loadOrNext(sample: number, at: Moment): Promise<{ sample: number; pixels: Uint8Array }> {
    for (let i = 0; i < images.length; i++) {
      const other = (sample + i) % images.length;
      const pixels = await load(other, at);
      if (pixels) return { sample: other, pixels };
    }
    throw new UserError(`${name}: no image can be decoded`);
  }

  async function loadToTest(sample: number) {
    const pixels = await load(sample, undefined);
    return pixels && { sample, pixels };
  }

  const dataset: DetectionDataset = {
    name,
    classes,
    width,
    height,
    channels,
    count: images.length,
    target: { dtype: "f32", shape },
    images,
    split_size,
    nameOf: (sample) => images[sample]!.name,
    ahead: AHEAD,
    objects,
    async fill(batch, samples, at) {
      batch.moves.fill(0);
      const target = batch.target as Float32Array;
      fillEmptyTarget(target.subarray(samples.length * numbers));
      await Promise.all(Array.from(samples, async (sample, slot) => {
        const loaded = await (at ? loadOrNext(sample, at) : loadToTest(sample));
        const [pixels, cells] = [
          batch.pixels.subarray(slot * bytes, (slot + 1) * bytes),
          target.subarray(slot * numbers, (slot + 1) * numbers),
        ];
        if (loaded) {
          pixels.set(loaded.pixels);
          fillTarget(cells, { width, height, objects: objects(loaded.sample, at) }, split_size);
        } else {
          pixels.fill(0);
          fillEmptyTarget(cells);
        }
      }));
    },
    pick: (indices) => pickDetection(dataset, indices),
    contents: () => [new TextEncoder().encode(JSON.stringify(images.map(withoutPath)))],
  };
  return dataset;
}

/** The same data set in another folder is the same. */
function withoutPath({ name, width, height, objects }: AnnotatedImage) {
  return { name, width, height, objects };
}

function pickDetection(dataset: DetectionDataset, indices: Uint32Array): DetectionDataset {
  const picked: DetectionDataset = {
    ...dataset,
    nameOf: (index) => dataset.images[indices[index]!]!.name,
    count: indices.length,
    images: Array.from(indices, (index) => dataset.images[index]!),
    objects: (sample) => dataset.objects(indices[sample]!, undefined),
    fill: (batch, samples) => dataset.fill(batch, samples.map((sample) => indices[sample]!), undefined),
    pick: (more) => pickDetection(picked, more),
  };
  return picked;
}
