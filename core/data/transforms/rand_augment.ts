/** RandAugment (Cubuk et al., 2019) with torchvision's operations and its 31 magnitudes. */
import { integer, type Stream } from "../../random.ts";
import { rotate, shearX, shearY, translate } from "./affine.ts";
import { adjustBrightness, adjustContrast, adjustSaturation, adjustSharpness } from "./color.ts";
import { type Image, roundHalfEven } from "./image.ts";
import { autocontrast, equalize, posterize, solarize } from "./tone.ts";

export interface RandAugmentOptions {
  /** Operations on an image, one after another. */
  readonly num_ops: number;
  /** 0 … 30 */
  readonly magnitude: number;
}

export const LARGEST_MAGNITUDE = 30;

interface Operation {
  /** Whether the magnitude is negated every other time. */
  readonly signed: boolean;
  /** `strength` is the magnitude's share of the largest, −1 … 1. */
  readonly apply: (image: Image, strength: number) => Image;
}

const signed = (apply: Operation["apply"]): Operation => ({ signed: true, apply });
const unsigned = (apply: Operation["apply"]): Operation => ({ signed: false, apply });

/** Pixels of the largest translation: 150 of the 331 that the paper's images had. */
const reach = (extent: number, strength: number) => Math.trunc(150 / 331 * extent * strength);

/** In torchvision's order, by its names. */
export const operations: Readonly<Record<string, Operation>> = {
  Identity: unsigned((image) => image),
  ShearX: signed((image, strength) => shearX(image, 0.3 * strength)),
  ShearY: signed((image, strength) => shearY(image, 0.3 * strength)),
  TranslateX: signed((image, strength) => translate(image, reach(image.width, strength), 0)),
  TranslateY: signed((image, strength) => translate(image, 0, reach(image.height, strength))),
  Rotate: signed((image, strength) => rotate(image, 30 * strength)),
  Brightness: signed((image, strength) => adjustBrightness(image, 1 + 0.9 * strength)),
  Color: signed((image, strength) => adjustSaturation(image, 1 + 0.9 * strength)),
  Contrast: signed((image, strength) => adjustContrast(image, 1 + 0.9 * strength)),
  Sharpness: signed((image, strength) => adjustSharpness(image, 1 + 0.9 * strength)),
  Posterize: unsigned((image, strength) => posterize(image, 8 - roundHalfEven(4 * strength))),
  Solarize: unsigned((image, strength) => solarize(image, 255 * (1 - strength))),
  AutoContrast: unsigned(autocontrast),
  Equalize: unsigned(equalize),
};

const names = Object.keys(operations);

export function randAugment(image: Image, { num_ops, magnitude }: RandAugmentOptions, random: Stream): Image {
  for (let i = 0; i < num_ops; i++) {
    const operation = operations[names[integer(random.word(), names.length)]!]!;
    const negated = integer(random.word(), 2) === 1;
    const strength = magnitude / LARGEST_MAGNITUDE;
    image = operation.apply(image, operation.signed && negated ? -strength : strength);
  }
  return image;
}
