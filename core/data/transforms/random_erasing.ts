/** RandomErasing (Zhong et al., 2017) with torchvision's defaults. */
import { integer, type Stream } from "../../random.ts";
import { type Image, roundHalfEven } from "./image.ts";

export interface ErasingOptions {
  /** How often an image is erased from, 0 … 1. */
  readonly probability: number;
  /** What is put there, a byte a channel; torchvision erases after Normalize, where 0 is the mean. */
  readonly fill: readonly number[];
}

/** Least and most of the image's area, and of height over width. */
const SCALE = [0.02, 0.33] as const;
const RATIO = [0.3, 3.3] as const;

export function randomErasing(image: Image, { probability, fill }: ErasingOptions, random: Stream): Image {
  if (random.between(0, 1) >= probability) return image;
  const { width, height, channels } = image;
  for (let attempt = 0; attempt < 10; attempt++) {
    const area = width * height * random.between(...SCALE);
    const aspect = Math.exp(random.between(Math.log(RATIO[0]), Math.log(RATIO[1])));
    const h = roundHalfEven(Math.sqrt(area * aspect)), w = roundHalfEven(Math.sqrt(area / aspect));
    if (h < 1 || w < 1 || h >= height || w >= width) continue;
    const top = integer(random.word(), height - h + 1), left = integer(random.word(), width - w + 1);
    const data = image.data.slice();
    for (let y = top; y < top + h; y++) {
      for (let at = (y * width + left) * channels, end = at + w * channels; at < end;) {
        for (let c = 0; c < channels; c++) data[at++] = fill[c]!;
      }
    }
    return { ...image, data };
  }
  return image;
}
