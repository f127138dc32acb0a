/** What is done to images before a network sees them: as in its run's tests, or as torchvision does for ImageNet. */
import { photographEvaluation, usualResize } from "../data/augmentation.ts";
import type { Normalize } from "../data/dataset.ts";
import { normalizeFor } from "../data/imagenet.ts";
import { likeMnist } from "../data/mnist.ts";
import type { Transform } from "../data/transforms/mod.ts";

/** Channels, height, width of what a network takes. */
type Input = readonly [number, number, number];

/** What a run says of its images, as far as it does. */
export interface RunImages {
  readonly dataset?: string;
  /** 0 for torchvision's share. */
  readonly val_resize_size?: number;
  readonly normalize?: Normalize;
}

/** Sides up to which images are those of CIFAR-10 and the like, which networks see whole. */
const SMALL = 64;

/**
 * How an evaluation treats images: photographs are resized, by the shorter side, to `resize` or torchvision's share of the
 * input, and cut to its middle; with "whole", they are resized to the input as they are, which is right for networks of
 * data sets whose images all have one size (digits, MNIST, CIFAR-10).
 */
export function evaluationOf([, height, width]: Input, resize?: number | "whole"): Transform[] {
  const size = [height, width] as const;
  if (resize === "whole") return [{ name: "Resize", size }];
  return photographEvaluation(size, resize ?? usualResize(size));
}

/**
 * The same for weights: as in the run that they are of, if they are of one, unless `resize` says otherwise (0: torchvision's
 * share).
 */
export function preparationOf(input: Input, run: RunImages | undefined, resize?: number): Transform[] {
  if (resize !== undefined) return evaluationOf(input, resize || undefined);
  const isWhole = run?.dataset === undefined
    ? Math.max(input[1], input[2]) <= SMALL
    : run.dataset !== "folder";
  // A digit is smaller than MNIST's images here: they have a frame.
  const first = run?.dataset === "mnist" ? likeMnist : [];
  return [...first, ...evaluationOf(input, isWhole ? "whole" : run?.val_resize_size || undefined)];
}

/** The run's mean and deviation, or else ImageNet's. */
export function usualNormalize([channels]: Input, run: RunImages | undefined): Normalize {
  return run?.normalize?.mean.length === channels ? run.normalize : normalizeFor(channels);
}
