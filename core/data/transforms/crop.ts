/** Cutting out parts: torchvision's Resize by the shorter side, Pad, CenterCrop, TenCrop, RandomCrop and RandomResizedCrop. */
import { blankImage, type Image, roundHalfEven, type Size } from "./image.ts";
import { integer, type Stream } from "../../random.ts";
import { type Box, resize, resizedCrop, wholeOf } from "./resample.ts";

/** The part of the image that begins at (top, left); black where it lies outside. */
export function crop(image: Image, top: number, left: number, [height, width]: Size): Image {
  const { channels } = image;
  const target = blankImage(width, height, channels);
  const from = Math.max(left, 0), to = Math.min(left + width, image.width);
  if (from >= to) return target;
  for (let y = Math.max(-top, 0); y < Math.min(height, image.height - top); y++) {
    const row = (top + y) * image.width;
    const pixels = image.data.subarray((row + from) * channels, (row + to) * channels);
    target.data.set(pixels, (y * width + from - left) * channels);
  }
  return target;
}

/** Pad: the image in a black frame, `padding` pixels wide. */
export function pad(image: Image, padding: number): Image {
  return crop(image, -padding, -padding, [image.height + 2 * padding, image.width + 2 * padding]);
}

/** Resize: the shorter side becomes `side`, the other in proportion. */
export function resizeShorter(image: Image, side: number): Image {
  return resize(image, shorterSize(image, side));
}

function shorterSize({ width, height }: Extent, side: number): Size {
  const longer = Math.trunc(side * Math.max(width, height) / Math.min(width, height));
  return width <= height ? [longer, side] : [side, longer];
}

type Extent = Pick<Image, "width" | "height">;

/** What is cut out of an image: black where it lies outside. */
export interface Part extends Box {
  readonly mirrored: boolean;
}

/** CenterCrop: the middle, with black around it where the image is smaller. */
export function centreOf(image: Extent, [height, width]: Size): Part {
  // torchvision pads a small image first, with the odd pixel at the bottom and right.
  const before = (space: number) => space < 0 ? -Math.floor(-space / 2) : roundHalfEven(space / 2);
  const [top, left] = [before(image.height - height), before(image.width - width)];
  return { top, left, height, width, mirrored: false };
}

/** Parts that TenCrop takes of an image. */
export const TEN_CROPS = 10;
/** Which of them is CenterCrop's. */
export const CENTRE_OF_TEN = 4;

/**
 * One of TenCrop's parts, by its number: the left top corner, the right top, the left bottom, the right bottom and the
 * middle, then those of the mirrored image. The image is at least as large.
 */
export function tenCropOf(image: Extent, size: Size, index: number): Part {
  const mirrored = index >= TEN_CROPS / 2;
  const corner = index % (TEN_CROPS / 2);
  const [height, width] = size;
  const [below, right] = [image.height - height, image.width - width];
  const { top, left } = corner === CENTRE_OF_TEN
    ? centreOf(image, size)
    : { top: corner >= 2 ? below : 0, left: corner % 2 === 1 ? right : 0 };
  return { top, left: mirrored ? right - left : left, height, width, mirrored };
}

export function take(image: Image, { top, left, height, width, mirrored }: Part): Image {
  const part = crop(image, top, left, [height, width]);
  return mirrored ? flipHorizontally(part) : part;
}

/**
 * Resize by the shorter side, and a part of that. Only what is seen of it is computed: of a strip of 1 × 10,000 pixels the
 * whole would take gigabytes.
 */
export function resizeAndTake(image: Image, side: number, partOf: (resized: Extent) => Part): Image {
  const size = shorterSize(image, side);
  const [height, width] = size;
  const part = partOf({ height, width });
  const top = Math.max(part.top, 0), left = Math.max(part.left, 0);
  const seen = {
    top,
    left,
    height: Math.min(part.top + part.height, height) - top,
    width: Math.min(part.left + part.width, width) - left,
  };
  const resized = resizedCrop(image, wholeOf(image), size, seen);
  return take(resized, { ...part, top: part.top - top, left: part.left - left });
}

/** RandomCrop to the image's own size after `padding` black pixels were added on each side. */
export function randomCrop(image: Image, padding: number, random: Stream): Image {
  const top = integer(random.word(), 2 * padding + 1) - padding;
  const left = integer(random.word(), 2 * padding + 1) - padding;
  return crop(image, top, left, [image.height, image.width]);
}

export interface ResizedCropOptions {
  /** Least and most of the image's area. */
  readonly scale: readonly [number, number];
  /** Least and most of width over height. */
  readonly ratio: readonly [number, number];
}

/** RandomResizedCrop: a part of random area and shape. */
export function randomResizedCrop(
  image: Image,
  size: Size,
  options: ResizedCropOptions,
  random: Stream,
): Image {
  return resizedCrop(image, randomBox(image, options, random), size);
}

/** What RandomResizedCrop cuts out: the first of ten tries that fits, or else as much as fits of the middle. */
export function randomBox(
  { width, height }: Pick<Image, "width" | "height">,
  { scale, ratio }: ResizedCropOptions,
  random: Stream,
): Box {
  const [narrow, wide] = ratio;
  for (let attempt = 0; attempt < 10; attempt++) {
    const area = width * height * random.between(...scale);
    const aspect = Math.exp(random.between(Math.log(narrow), Math.log(wide)));
    const w = roundHalfEven(Math.sqrt(area * aspect)), h = roundHalfEven(Math.sqrt(area / aspect));
    if (w < 1 || w > width || h < 1 || h > height) continue;
    const top = integer(random.word(), height - h + 1);
    return { top, left: integer(random.word(), width - w + 1), height: h, width: w };
  }
  const own = width / height;
  const w = own > wide ? Math.max(1, roundHalfEven(height * wide)) : width;
  const h = own < narrow ? Math.max(1, roundHalfEven(width / narrow)) : height;
  return { top: Math.floor((height - h) / 2), left: Math.floor((width - w) / 2), height: h, width: w };
}

/** The image mirrored left to right. */
export function flipHorizontally(image: Image): Image {
  const { width, height, channels, data } = image;
  const target = blankImage(width, height, channels);
  for (let y = 0, at = 0; y < height; y++) {
    for (let x = width - 1; x >= 0; x--) {
      const from = (y * width + x) * channels;
      for (let c = 0; c < channels; c++) target.data[at++] = data[from + c]!;
    }
  }
  return target;
}
