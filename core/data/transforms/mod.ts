/** Transforms as plain data, which can be sent to a worker, and what they do. Names are torchvision's. */
import { uniform } from "../../random.ts";
import { type View, viewImage } from "../detection/augment.ts";
import type { Purpose, Stream } from "../../random.ts";
import { colorJitter, type JitterOptions } from "./color_jitter.ts";
import {
  centreOf,
  flipHorizontally,
  pad,
  type Part,
  randomBox,
  randomCrop,
  randomResizedCrop,
  resizeAndTake,
  type ResizedCropOptions,
  resizeShorter,
  take,
  tenCropOf,
} from "./crop.ts";
import type { Image, Size } from "./image.ts";
import { randAugment, type RandAugmentOptions } from "./rand_augment.ts";
import { type ErasingOptions, randomErasing } from "./random_erasing.ts";
import { resize } from "./resample.ts";

/** A transform by torchvision's name, with its arguments. Sizes are `[height, width]` in pixels. */
export type Transform =
  | { readonly name: "Resize"; /** Of the shorter side, or of both. */ readonly size: number | Size }
  | { readonly name: "CenterCrop"; readonly size: Size }
  | { readonly name: "Pad"; /** Black pixels on each side. */ readonly padding: number }
  | { readonly name: "TenCrop"; readonly size: Size; /** Which of the ten. */ readonly index: number }
  | { readonly name: "RandomCrop"; readonly padding: number }
  | ({ readonly name: "RandomResizedCrop"; readonly size: Size } & ResizedCropOptions)
  | { readonly name: "RandomHorizontalFlip"; readonly probability: number }
  | ({ readonly name: "ColorJitter" } & JitterOptions)
  | ({ readonly name: "RandAugment" } & RandAugmentOptions)
  | ({ readonly name: "RandomErasing" } & ErasingOptions)
  | { readonly name: "View"; /** Drawn already. */ readonly view: View; readonly size: Size };

/** Random numbers for one image; each purpose has numbers of its own. */
export type Draws = (purpose: Purpose) => Stream;

/**
 * Applies transforms one after another. Throws `CannotTransform` where what lies between them would not fit into memory.
 *
 * ```ts
 * import assert from "node:assert/strict";
 * import { stream } from "../../random.ts";
 *
 * const image = { width: 64, height: 48, channels: 3, data: new Uint8Array(64 * 48 * 3).fill(200) };
 * const transforms: Transform[] = [
 *   { name: "Resize", size: 32 },
 *   { name: "CenterCrop", size: [28, 28] },
 *   { name: "RandomHorizontalFlip", probability: 0.5 },
 * ];
 * const [seed, epoch, sample] = [1, 0, 7];
 * const made = applyTransforms(image, transforms, (purpose) => stream(seed, purpose, epoch, sample));
 * assert.deepEqual([made.width, made.height, made.channels], [28, 28, 3]);
 * ```
 */
export function applyTransforms(image: Image, transforms: readonly Transform[], draws: Draws): Image {
  let made = image;
  for (let i = 0; i < transforms.length; i++) {
    const [transform, next] = [transforms[i]!, transforms[i + 1]];
    const partOf = transform.name === "Resize" && typeof transform.size === "number" && next && cutting(next);
    if (partOf) {
      made = resizeAndTake(made, transform.size as number, partOf);
      i++;
    } else {
      made = apply(made, transform, draws);
    }
  }
  return made;
}

/** What a transform that only cuts takes of an image. */
function cutting(transform: Transform): ((image: Pick<Image, "width" | "height">) => Part) | undefined {
  if (transform.name === "CenterCrop") return (image) => centreOf(image, transform.size);
  if (transform.name === "TenCrop") return (image) => tenCropOf(image, transform.size, transform.index);
  return undefined;
}

function apply(image: Image, transform: Transform, draws: Draws): Image {
  switch (transform.name) {
    case "Resize": {
      const { size } = transform;
      return typeof size === "number" ? resizeShorter(image, size) : resize(image, size);
    }
    case "CenterCrop":
      return take(image, centreOf(image, transform.size));
    case "Pad":
      return pad(image, transform.padding);
    case "TenCrop":
      return take(image, tenCropOf(image, transform.size, transform.index));
    case "RandomCrop":
      return randomCrop(image, transform.padding, draws("crop"));
    case "RandomResizedCrop":
      return randomResizedCrop(image, transform.size, transform, draws("crop"));
    case "RandomHorizontalFlip":
      return isFlipped(draws("flip").word(), transform.probability) ? flipHorizontally(image) : image;
    case "ColorJitter":
      return colorJitter(image, transform, draws("color"));
    case "RandAugment":
      return randAugment(image, transform, draws("augment"));
    case "RandomErasing":
      return randomErasing(image, transform, draws("erase"));
    case "View":
      return viewImage(image, transform.view, transform.size);
  }
}

/** Whether a word of randomness means a flip. */
export function isFlipped(word: number, probability: number): boolean {
  return uniform(word) >= 1 - probability;
}

/**
 * How many times smaller an image of this size may be decoded without harm, 1 or a power of 2: its first transform then
 * still halves it, so that what it averages over is nearly the same.
 */
export function spareReduction(
  image: Pick<Image, "width" | "height">,
  [first]: readonly Transform[],
  draws: Draws,
): number {
  const factor = shrinking(image, first, draws);
  return factor >= 16 ? 8 : factor >= 8 ? 4 : factor >= 4 ? 2 : 1;
}

function shrinking(
  image: Pick<Image, "width" | "height">,
  first: Transform | undefined,
  draws: Draws,
): number {
  if (first?.name === "RandomResizedCrop") {
    const { width, height } = randomBox(image, first, draws("crop"));
    return Math.min(height / first.size[0], width / first.size[1]);
  }
  if (first?.name !== "Resize") return 1;
  const { size } = first;
  if (typeof size === "number") return Math.min(image.width, image.height) / size;
  return Math.min(image.height / size[0], image.width / size[1]);
}
