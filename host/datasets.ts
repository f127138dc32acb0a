import type { Augmentation } from "../core/data/augmentation.ts";
import type { DatasetSplit } from "../core/data/dataset.ts";
import type { DetectionDataset } from "../core/data/detection/dataset.ts";
import { loadDigits } from "../core/data/digits.ts";
import { type MemoryDataset, rehandle } from "../core/data/memory.ts";
import type { Transform } from "../core/data/transforms/mod.ts";
import { UserError } from "../core/errors.ts";
import { nearest } from "../core/nearest.ts";
import type { DetectionOptions } from "./detection/dataset.ts";
import type { Progress } from "./download.ts";
import type { DamagedFile } from "./images/damaged.ts";
import { createImagePool } from "./images/pool.ts";

/** Channels, height, width of what a network takes. */
export type Input = readonly [number, number, number];

export interface LoadOptions extends Augmentation {
  /** Where the data set is, if it does not come with the project, or is downloaded to. */
  readonly data: string;
  readonly progress?: Progress | undefined;
  /** What the images are turned into; undefined for what they are, and for `network` where they have many sizes. */
  readonly input: Input | undefined;
  /** What the network is made for. */
  readonly network: Input;
  /** RandomHorizontalFlip's probability. */
  readonly hflip: number;
  /** Black pixels around images of one size, before RandomCrop. */
  readonly crop_padding: number;
  /** Without any of the random transforms. */
  readonly no_aug: boolean;
  readonly folder: FolderOptions;
  /** What a detector's images become, see detection/dataset.ts; undefined for a classifier. */
  readonly boxes?: Pick<DetectionOptions, "split_size" | "augmentation"> | undefined;
}

/** Of images that are files, see images/image_folder.ts. */
export interface FolderOptions {
  /** RandomResizedCrop's least and most area. */
  readonly scale: readonly [number, number];
  /** The shorter side before an evaluation's CenterCrop; undefined for torchvision's share. */
  readonly resize: number | undefined;
  /** All that an evaluation does to images, where it is something else. */
  readonly evaluation?: readonly Transform[] | undefined;
  readonly valSplit: number | undefined;
  readonly seed: number;
  readonly maxPixels: number;
  readonly badImages: "skip" | "fail";
  readonly workers: number | undefined;
  /** Where a resumed run goes on: in which epoch, and at which image of its order. */
  readonly goesOnAt?: { readonly epoch: number; readonly place: number } | undefined;
  /** Whether training images are tested on, so that detectors' need not be divided. */
  readonly overfit?: boolean | undefined;
  /**
   * Where only the images to test on are wanted: those of the data that was trained on, or of new data, which is tested
   * as a whole where nobody divided it.
   */
  readonly testOnly?: "seen" | "new" | undefined;
  readonly note: (line: string) => void;
  /** Told of each file that is skipped, when it is found. */
  readonly onDamaged?: ((file: DamagedFile) => void) | undefined;
  /** Told how many of all images have been looked at, before any is wanted. */
  readonly onRead?: ((done: number, all: number) => void) | undefined;
}

type Loader = (options: LoadOptions) => Promise<DatasetSplit>;

/** Images by class, or with boxes. */
export type AnySplit = DatasetSplit | DatasetSplit<DetectionDataset>;

/** What needs files or sharp is loaded when it is asked for: digits do without them. */
const LOADERS: Readonly<Record<string, Loader>> = {
  digits: async (options) => handled(await loadDigits(), options),
  cifar10: async (options) => {
    const { loadCifar10 } = await import("./cifar10.ts");
    return handled(await loadCifar10(options.data, options), options);
  },
  mnist: async (options) => {
    const { loadMnist } = await import("./mnist.ts");
    return handled(await loadMnist(options.data, options), options);
  },
  folder: async (options) => {
    const { loadPhotographs } = await import("./images/image_folder.ts");
    return await loadPhotographs(options);
  },
};

function handled(split: DatasetSplit<MemoryDataset>, options: LoadOptions): DatasetSplit {
  const { input, no_aug, crop_padding: padding, hflip } = options;
  const pool = createImagePool(options.folder.workers);
  const always = { change: pool.change, ...input ? { input } : {} };
  const changes = no_aug
    ? { padding: 0, hflip: 0, ...always }
    : { padding, hflip, augmentation: options, ...always };
  return { ...rehandle(split, changes), close: () => pool.close() };
}

/** A folder of images by class. */
const FOLDER = "folder";
/** A folder of images with boxes. */
const BOXES = "boxes";

/** The names that `loadDataset` knows. */
export const DATASETS: readonly string[] = [...Object.keys(LOADERS), BOXES];

/** A data set by its name, whatever is to be learnt; downloaded where it can be. */
export async function loadAnyDataset(name: string, options: LoadOptions): Promise<AnySplit> {
  const { boxes, data, folder, input, network } = options;
  if (name !== BOXES || !boxes) return await loadDataset(name, options);
  const { loadDetection } = await import("./detection/dataset.ts");
  return await loadDetection(data, { ...folder, ...boxes, input: input ?? network });
}

/** Whether `data` has a data set that would otherwise be downloaded to it. */
export async function isDownloaded(name: string, data: string): Promise<boolean> {
  if (name === "cifar10") return await (await import("./cifar10.ts")).findCifar10(data) !== undefined;
  if (name === "mnist") return await (await import("./mnist.ts")).findMnist(data) !== undefined;
  return false;
}

/**
 * What a folder has that somebody names where files of settings name a data set: that one, or else images of one's own. To
 * a folder with neither it is downloaded.
 */
export async function datasetIn(data: string, named: string): Promise<string> {
  if (named === FOLDER || named === BOXES || await isDownloaded(named, data)) return named;
  const { hasImageFolders } = await import("./images/files.ts");
  return await hasImageFolders(data) ? FOLDER : named;
}

/** A data set of images by class. */
export async function loadDataset(name: string, options: LoadOptions): Promise<DatasetSplit> {
  if (name === BOXES) throw new UserError(`--dataset ${BOXES}: is for detectors, such as yolov1`);
  const load = Object.hasOwn(LOADERS, name) ? LOADERS[name] : undefined;
  if (load) return await load(options);
  throw new UserError(
    `--dataset ${name}: there is no such data set; did you mean ${nearest(name, DATASETS)}? Known are ${
      DATASETS.join(", ")
    }`,
  );
}
