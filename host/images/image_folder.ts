/** `--dataset folder`: a user's own images. */
import { basename, join, resolve } from "node:path";
import { photographEvaluation, photographTraining, usualResize } from "../../core/data/augmentation.ts";
import type { DatasetSplit } from "../../core/data/dataset.ts";
import { normalizeFor } from "../../core/data/imagenet.ts";
import { UserError } from "../../core/errors.ts";
import type { FolderOptions, LoadOptions } from "../datasets.ts";
import { mapAtOnce } from "../at_once.ts";
import { fileDataset } from "./dataset.ts";
import { findImages, type LabelledFile } from "./files.ts";
import { beginningOf, damagedFile } from "./loader.ts";
import { createImagePool, DamagedImage, type ImagePool } from "./pool.ts";

/** RandomResizedCrop's least and most of width over height, as torchvision's. */
const RATIO = [3 / 4, 4 / 3] as const;

/** Finds the images and looks at each one's header, so that most mistakes show before training begins. */
export async function loadPhotographs(options: LoadOptions): Promise<DatasetSplit> {
  const { data: folder, input = options.network, folder: limits } = options;
  const [channels, height, width] = input;
  const { maxPixels, badImages, workers, scale, testOnly } = limits;
  const normalize = normalizeFor(channels);
  const size = [height, width] as const;
  const evaluation = limits.evaluation ??
    photographEvaluation(size, limits.resize ?? usualResize(size));
  const training = options.no_aug
    ? evaluation
    : photographTraining(size, { ...options, scale, ratio: RATIO }, normalize);
  const found = await findImages(folder, { ...limits, testAll: testOnly === "new" })
    .catch((error) => explain(error, folder));
  const [first, second] = found.classes;
  if (!testOnly && second === undefined) {
    throw new UserError(
      `--data ${folder}: all images are of one class, ${first}, and there is nothing to tell apart; was ` +
        `${join(folder, first!)} meant?`,
    );
  }
  const pool = createImagePool(workers);
  try {
    const notes: string[] = [];
    const parts = [testOnly ? [] : found.train, found.test];
    const all = parts.reduce((sum, { length }) => sum + length, 0);
    let done = 0;
    const onRead = () => limits.onRead?.(++done, all);
    const [train, test] = await Promise.all(
      parts.map((files) => goodHeaders(files, pool, limits, notes, onRead)),
    ) as [LabelledFile[], LabelledFile[]];
    for (const [label, name] of found.classes.entries()) {
      if (!testOnly && !train.some((file) => file.label === label)) {
        throw new UserError(`${folder}: no training image of the class ${name} can be decoded`);
      }
    }
    if (test.length === 0) throw new UserError(`${folder}: there are no images to test on`);
    let damaged = 0;
    const skip = (file: string, why: string) => {
      limits.onDamaged?.({ file, why });
      limits.note(`${file}: cannot be decoded (${why}) and is skipped, as ${++damaged} now`);
    };
    const common = {
      ...{
        name: basename(resolve(folder)),
        classes: found.classes,
        channels,
        height,
        width,
        pool,
        maxPixels,
        training,
        evaluation,
      },
      skip: badImages === "skip" ? skip : undefined,
    };
    return {
      train: fileDataset({ ...common, files: train, beginsAt: beginningOf(limits) }),
      test: fileDataset({ ...common, files: test }),
      normalize,
      notes: [...found.notes, ...summary(notes)],
      close: () => pool.close(),
    };
  } catch (error) {
    pool.close();
    throw error;
  }
}

/** Where the images have boxes, says so: then folders by class are not what is missing. */
async function explain(error: unknown, folder: string): Promise<never> {
  const { findAnnotations } = await import("../detection/find.ts");
  const boxes = error instanceof UserError ? await findAnnotations(folder).catch(() => undefined) : undefined;
  if (!boxes) throw error;
  const kind = boxes.format === "voc" ? "PASCAL VOC's annotations" : "YOLO's labels";
  throw new UserError(
    `--data ${folder}: has ${kind}, so its images are for a detector, such as --model yolov1; ` +
      "a classifier takes a folder for each class",
  );
}

/** Enough to keep every worker busy. */
const INSPECTED_AT_ONCE = 64;

/** The files whose headers can be read and name few enough pixels. The others end it, or are noted. */
async function goodHeaders(
  files: readonly LabelledFile[],
  pool: ImagePool,
  { maxPixels, badImages, onDamaged }: FolderOptions,
  notes: string[],
  onRead: () => void,
): Promise<LabelledFile[]> {
  const verdicts = await mapAtOnce(files, INSPECTED_AT_ONCE, async ({ path }) => {
    try {
      await pool.inspect({ path, maxPixels });
    } catch (error) {
      if (!(error instanceof DamagedImage)) throw error;
      return error.message;
    } finally {
      onRead();
    }
  });
  return files.filter(({ path }, index) => {
    const why = verdicts[index];
    if (why === undefined) return true;
    if (badImages === "fail") throw damagedFile(path, why);
    onDamaged?.({ file: path, why });
    notes.push(`${path} (${why})`);
    return false;
  });
}

/** Names shown of those that are skipped. */
const SHOWN = 5;

function summary(bad: readonly string[]): string[] {
  if (bad.length === 0) return [];
  const more = bad.length > SHOWN ? [`and ${bad.length - SHOWN} more`] : [];
  return [
    `${bad.length} images cannot be decoded and are skipped: ${[...bad.slice(0, SHOWN), ...more].join("; ")}`,
  ];
}
