/** Which images a run sees, and how they are varied. */
import { type DetectionAugmentation, yoloAugmentation } from "../../core/data/detection/augment.ts";
import type { Augmentation } from "../../core/data/augmentation.ts";
import { LARGEST_MAGNITUDE } from "../../core/data/transforms/rand_augment.ts";
import { UserError } from "../../core/errors.ts";
import type { FolderOptions, Input, LoadOptions } from "../../host/datasets.ts";
import { type Flag, oneOf, orOff, real, switchFlag, whole } from "../arguments.ts";
import { extents } from "../model.ts";

/** A number that is 0 stands for an option that is off, and so does an empty list. */
export interface DataSettings {
  /** Channels, height, width; empty for what the data set or the network has. */
  readonly input: readonly number[];
  /** 0 where there is a folder to test on, or for the usual share. */
  readonly val_split: number;
  /** Least and most. */
  readonly scale: readonly number[];
  readonly crop_padding: number;
  readonly hflip: number;
  /** Operations and their magnitude. */
  readonly rand_augment: readonly number[];
  /** Brightness, contrast, saturation, hue. */
  readonly color_jitter: readonly number[];
  readonly random_erase: number;
  /** How detectors' images are varied, see DetectionAugmentation. */
  readonly jitter: number;
  readonly exposure: number;
  readonly saturation: number;
  readonly no_aug: boolean;
  /** 0 for torchvision's share. */
  readonly val_resize_size: number;
  readonly bad_images: "skip" | "fail";
  readonly max_megapixels: number;
}

/** What `on` stands for: torchvision's defaults. */
const RAND_AUGMENT = [2, 9];

const randAugment: Flag<readonly number[]> = {
  value: "N,M|on",
  help: "N operations of magnitude M (of 30); on is 2,9",
  parse(given, flag) {
    const [operations, magnitude, ...rest] = given === "on" ? RAND_AUGMENT : numbersOf(given);
    const fits = Number.isInteger(operations) && operations! >= 1 && Number.isInteger(magnitude) &&
      magnitude! >= 0 &&
      magnitude! <= LARGEST_MAGNITUDE && rest.length === 0;
    if (fits) return [operations!, magnitude!];
    throw new UserError(
      `${flag} must be on, or N,M with M from 0 to ${LARGEST_MAGNITUDE} as in 2,9, not "${given}"`,
    );
  },
};

const colorJitter: Flag<readonly number[]> = {
  value: "B[,C,S,H]",
  help: "brightness, contrast, saturation, hue; or one number",
  parse(given, flag) {
    const numbers = numbersOf(given);
    const [b, c, s, h] = numbers.length === 1 ? [numbers[0], numbers[0], numbers[0], 0] : numbers;
    const isHue = h === undefined || (h >= 0 && h <= 0.5);
    if ([1, 3, 4].includes(numbers.length) && [b, c, s].every((value) => value! >= 0) && isHue) {
      return [b!, c!, s!, h ?? 0];
    }
    throw new UserError(
      `${flag} must be a number, or brightness,contrast,saturation[,hue] with a hue to 0.5, not "${given}"`,
    );
  },
};

const scale: Flag<readonly number[]> = {
  value: "MIN,MAX",
  help: "share that RandomResizedCrop takes; 0.08,1",
  parse(given, flag) {
    const numbers = numbersOf(given);
    const [least, most] = numbers;
    if (numbers.length === 2 && least! > 0 && least! <= most! && most! <= 1) return numbers;
    throw new UserError(`${flag} must be two shares with 0 < MIN ≤ MAX ≤ 1, as in 0.08,1, not "${given}"`);
  },
};

/** NaN, which is greater and less than nothing, for what is no number, and for what is infinite. */
function numbersOf(given: string): number[] {
  const numbers = given.split(",").map((item) => item.trim() === "" ? NaN : Number(item));
  return numbers.map((number) => Number.isFinite(number) ? number : NaN);
}

export const dataFlags = {
  input: orOff<readonly number[]>(
    extents("what images are turned into; of folders the network's", "3x224x224", 3),
    [],
  ),
  "val-split": real("share to test on, where no list or folder is; 0.2", {
    min: 0,
    max: 0.9,
  }),
  scale,
  hflip: real("how often RandomHorizontalFlip; 0.5, digits and mnist 0", { min: 0, max: 1 }),
  "crop-padding": whole("pixels around, before RandomCrop; cifar10 4, digits 2", {
    min: 0,
  }),
  "rand-augment": orOff(randAugment, []),
  "color-jitter": orOff(colorJitter, []),
  "random-erase": real("how often RandomErasing", { min: 0, max: 1 }),
  jitter: real("detectors: how far the view's edges move; 0.2", { min: 0, max: 0.4 }),
  exposure: real("detectors: brightness varies up to this factor; 1.5", { min: 1 }),
  saturation: real("detectors: so does saturation; 1.5", { min: 1 }),
  "no-aug": switchFlag("no random transforms at all"),
  "val-resize-size": whole("shorter side before CenterCrop; 256 for 224", { min: 0 }),
  "bad-images": oneOf(
    ["skip", "fail"] as const,
    "files that cannot be decoded: skip (default) or fail",
  ),
  "max-megapixels": real("larger images are refused; 100", { min: 0, above: true }),
};

function withoutFlip({ jitter, exposure, saturation }: DetectionAugmentation) {
  return { jitter, exposure, saturation };
}

const common = {
  input: [],
  val_split: 0,
  scale: [0.08, 1],
  rand_augment: [],
  color_jitter: [],
  random_erase: 0,
  ...withoutFlip(yoloAugmentation),
  no_aug: false,
  val_resize_size: 0,
  bad_images: "skip",
  max_megapixels: 100,
} as const;

const ofDataset: Readonly<Record<string, Pick<DataSettings, "hflip" | "crop_padding">>> = {
  // Mirrored digits are no digits.
  digits: { hflip: 0, crop_padding: 2 },
  mnist: { hflip: 0, crop_padding: 2 },
  cifar10: { hflip: 0.5, crop_padding: 4 },
  folder: { hflip: 0.5, crop_padding: 0 },
  boxes: { hflip: 0.5, crop_padding: 0 },
};

/** The defaults of a data set. */
export function dataDefaults(dataset: string): DataSettings {
  return { ...common, ...ofDataset[dataset]! };
}

/** Flags that only say something of images that are files, and of those only of classes by folders. */
const FILES_ONLY = ["val-split", "bad-images", "max-megapixels"];
const FOLDER_ONLY = ["scale", "val-resize-size"];
/** Flags of which detectors have others, so that boxes follow their images. */
const NOT_BOXES = ["rand-augment", "color-jitter", "random-erase", "crop-padding"];
const BOXES_ONLY = ["jitter", "exposure", "saturation"];
const RANDOM = [
  ...["scale", "hflip", "crop-padding", "rand-augment", "color-jitter", "random-erase"],
  ...BOXES_ONLY,
];

/** Throws where one of the flags has no effect. */
export function checkData(
  { dataset, no_aug }: DataSettings & { readonly dataset: string },
  flags: Readonly<Record<string, unknown>>,
): void {
  if (flags["data"] !== undefined && dataset === "digits") {
    throw new UserError("--data has no effect with --dataset digits: these come with Strata");
  }
  if (flags["val-split"] === 0) {
    throw new UserError("--val-split 0 would leave nothing to test on: give a share, such as 0.2");
  }
  const [isFolder, isBoxes] = [dataset === "folder", dataset === "boxes"];
  const idle = [...isFolder || isBoxes ? [] : FILES_ONLY, ...isFolder ? [] : FOLDER_ONLY];
  const flag = idle.find((flag) => flags[flag] !== undefined);
  if (flag !== undefined) {
    const whose = isBoxes ? "folders of images by class" : "folders of your own images";
    throw new UserError(`--${flag} has no effect with --dataset ${dataset}: it is for ${whose}`);
  }
  if (flags["crop-padding"] !== undefined && isFolder) {
    throw new UserError("--crop-padding has no effect with your own images: RandomResizedCrop has --scale");
  }
  const other = (isBoxes ? NOT_BOXES : BOXES_ONLY).find((flag) => flags[flag] !== undefined);
  if (other !== undefined) {
    const why = isBoxes
      ? "detectors have --jitter, --exposure and --saturation"
      : "it is for detectors, such as yolov1";
    throw new UserError(`--${other} has no effect with --dataset ${dataset}: ${why}`);
  }
  const random = RANDOM.find((flag) => flags[flag] !== undefined);
  if (!no_aug || random === undefined) return;
  const advice = flags["no-aug"]
    ? ": leave one of them out"
    : ", which a file has on: --no-no-aug turns it off";
  throw new UserError(`--${random} has no effect with --no-aug${advice}`);
}

export function augmentationOf({ rand_augment, color_jitter, random_erase }: DataSettings): Augmentation {
  const [num_ops, magnitude] = rand_augment;
  const [brightness, contrast, saturation, hue] = color_jitter;
  return {
    rand_augment: num_ops === undefined ? null : { num_ops, magnitude: magnitude! },
    color_jitter: brightness === undefined
      ? null
      : { brightness, contrast: contrast!, saturation: saturation!, hue: hue! },
    random_erase,
  };
}

/** How a detector's training images are varied; undefined for not at all. */
function boxesAugmentation(
  { jitter, exposure, saturation, hflip, no_aug }: DataSettings,
): DetectionAugmentation | undefined {
  return no_aug ? undefined : { jitter, exposure, saturation, hflip };
}

/**
 * What loading the data set needs to know. `network` is what the network is made for, `split_size` how many cells are in a
 * row of its answer, where it is a detector.
 */
export function loadOptions(
  settings: DataSettings & { readonly data: string; readonly seed: number },
  network: Input,
  rest:
    & Pick<LoadOptions, "progress">
    & Pick<FolderOptions, "note" | "onDamaged" | "workers" | "overfit" | "goesOnAt" | "onRead">
    & { readonly split_size?: number | undefined },
): LoadOptions {
  const { data, input, hflip, crop_padding, no_aug, val_split, val_resize_size, bad_images } = settings;
  return {
    ...augmentationOf(settings),
    data,
    progress: rest.progress,
    input: input.length > 0 ? input as unknown as Input : undefined,
    network,
    hflip,
    crop_padding,
    no_aug,
    boxes: rest.split_size === undefined
      ? undefined
      : { split_size: rest.split_size, augmentation: boxesAugmentation(settings) },
    folder: {
      scale: settings.scale as unknown as [number, number],
      resize: val_resize_size || undefined,
      valSplit: val_split || undefined,
      seed: settings.seed,
      maxPixels: settings.max_megapixels * 1e6,
      badImages: bad_images,
      workers: rest.workers,
      overfit: rest.overfit,
      goesOnAt: rest.goesOnAt,
      note: rest.note,
      onDamaged: rest.onDamaged,
      onRead: rest.onRead,
    },
  };
}
