/** How training images are varied, as settings that every data set understands, and the transforms that these mean. */
import type { Normalize } from "./dataset.ts";
import type { JitterOptions } from "./transforms/color_jitter.ts";
import type { ResizedCropOptions } from "./transforms/crop.ts";
import type { Size } from "./transforms/image.ts";
import type { Transform } from "./transforms/mod.ts";
import type { RandAugmentOptions } from "./transforms/rand_augment.ts";

/** What changes pixels beside cropping and flipping; null and 0 for not at all. */
export interface Augmentation {
  readonly rand_augment: RandAugmentOptions | null;
  readonly color_jitter: JitterOptions | null;
  /** How often RandomErasing erases from an image. */
  readonly random_erase: number;
}

export const noAugmentation: Augmentation = { rand_augment: null, color_jitter: null, random_erase: 0 };

/** Its transforms in the order of torchvision's and timm's recipes. */
export function augmentationTransforms(augmentation: Augmentation, { mean }: Normalize): Transform[] {
  const { rand_augment, color_jitter, random_erase } = augmentation;
  return [
    ...rand_augment ? [{ name: "RandAugment", ...rand_augment } as const] : [],
    ...color_jitter ? [{ name: "ColorJitter", ...color_jitter } as const] : [],
    ...random_erase > 0
      ? [
        {
          name: "RandomErasing",
          probability: random_erase,
          fill: mean.map((value) => Math.round(255 * value)),
        } as const,
      ]
      : [],
  ];
}

export interface PhotographOptions extends Augmentation, ResizedCropOptions {
  /** RandomHorizontalFlip's probability. */
  readonly hflip: number;
}

/** Of photographs of any size: torchvision's recipe for training on ImageNet. */
export function photographTraining(
  size: Size,
  options: PhotographOptions,
  normalize: Normalize,
): Transform[] {
  const { scale, ratio, hflip } = options;
  return [
    { name: "RandomResizedCrop", size, scale, ratio },
    ...hflip > 0 ? [{ name: "RandomHorizontalFlip", probability: hflip } as const] : [],
    ...augmentationTransforms(options, normalize),
  ];
}

/** Of photographs of any size, the same way each time: the shorter side becomes `resize`, and the middle is taken. */
export function photographEvaluation(size: Size, resize: number): Transform[] {
  return [{ name: "Resize", size: resize }, { name: "CenterCrop", size }];
}

/** torchvision's share of the resized image that CenterCrop takes: 224 of 256. */
export function usualResize([height, width]: Size): number {
  return Math.round(Math.max(height, width) * 256 / 224);
}
