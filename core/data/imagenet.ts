/** How torchvision prepares images for networks that were trained on ImageNet. */
import { UserError } from "../errors.ts";
import type { Normalize } from "./dataset.ts";

/** ImageNet's, which every network of torchvision was trained with. */
const imagenetNormalize: Normalize = { mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225] };
/** The same for networks that take grey images: the mean of the three channels. */
const greyNormalize: Normalize = { mean: [0.449], std: [0.226] };

export function normalizeFor(channels: number): Normalize {
  if (channels === 3) return imagenetNormalize;
  if (channels === 1) return greyNormalize;
  throw new UserError(`--input: images have 3 channels, or 1 for grey ones, not ${channels}`);
}
