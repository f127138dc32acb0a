/** A data set of image files: batches are decoded and transformed by the pool, ahead of the steps. */
import { type Batch, DOES_NOT_COUNT, fillClasses } from "../../core/data/batches.ts";
import { AHEAD, classTarget, type Dataset, imageBytes, type Moment } from "../../core/data/dataset.ts";
import { pickClassified } from "../../core/data/pick.ts";
import type { Transform } from "../../core/data/transforms/mod.ts";
import { UserError } from "../../core/errors.ts";
import type { LabelledFile } from "./files.ts";
import { createLoader, type LoaderOptions } from "./loader.ts";
import type { ImagePool } from "./pool.ts";

export interface FileDatasetOptions
  extends
    Pick<Dataset, "name" | "classes" | "width" | "height" | "channels">,
    Pick<LoaderOptions, "skip" | "beginsAt"> {
  readonly files: readonly LabelledFile[];
  readonly pool: ImagePool;
  readonly maxPixels: number;
  readonly training: readonly Transform[];
  readonly evaluation: readonly Transform[];
}

/** How an evaluation sees one of TenCrop's parts. Files that cannot be decoded are told of by the data set itself. */
function partOf({ evaluation, skip }: FileDatasetOptions, index: number): Partial<FileDatasetOptions> {
  return {
    evaluation: evaluation.map((transform) =>
      transform.name === "CenterCrop" ? { ...transform, name: "TenCrop", index } : transform
    ),
    beginsAt: undefined,
    skip: skip && (() => {}),
  };
}

export function fileDataset(options: FileDatasetOptions): Dataset {
  const { name, classes, width, height, channels, files, pool, maxPixels, skip, beginsAt } = options;
  const size = imageBytes(options);
  const labels = Uint16Array.from(files, ({ label }) => label);
  const { load } = createLoader({
    paths: files.map(({ path }) => path),
    skip,
    beginsAt,
    begin(sample, at) {
      const transforms = at ? options.training : options.evaluation;
      const moment = at && { seed: at.seed, epoch: at.epoch, sample };
      return pool.load({ path: files[sample]!.path, channels, maxPixels, transforms, at: moment });
    },
  });

  /**
   * Training takes the next image of the class for one that can't be decoded: a function of the files alone, so that a
   * resumed run does the same.
   */
  async function loadOrNext(sample: number, at: Moment): Promise<Uint8Array> {
    for (let i = 0; i < files.length; i++) {
      const other = (sample + i) % files.length;
      if (labels[other] !== labels[sample]) continue;
      const pixels = await load(other, at);
      if (pixels) return pixels;
    }
    throw new UserError(`${name}: no image of the class ${classes[labels[sample]!]} can be decoded`);
  }

  async function fillSlot({ pixels, target }: Batch, slot: number, sample: number, at: Moment | undefined) {
    const image = await (at ? loadOrNext(sample, at) : load(sample, undefined));
    if (image) return pixels.set(image, slot * size);
    pixels.fill(0, slot * size, (slot + 1) * size);
    target[slot] = DOES_NOT_COUNT;
  }

  const dataset: Dataset = {
    name,
    classes,
    width,
    height,
    channels,
    count: files.length,
    target: classTarget,
    nameOf: (sample) => files[sample]!.name,
    labels,
    ahead: AHEAD,
    tenCrop: (index) => fileDataset({ ...options, ...partOf(options, index) }),
    async fill(batch, samples, at) {
      batch.moves.fill(0);
      fillClasses(batch, labels, samples);
      await Promise.all(Array.from(samples, (sample, slot) => fillSlot(batch, slot, sample, at)));
    },
    pick: (indices) => pickClassified(dataset, indices),
    contents: () => [
      new TextEncoder().encode(files.map(({ name, bytes }) => `${name} ${bytes}\n`).join("")),
      Uint8Array.from(files.flatMap(({ label }) => [label & 255, label >> 8])),
    ],
  };
  return dataset;
}
