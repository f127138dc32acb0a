/** Antialiased bilinear resizing, byte for byte as Pillow's, which is what torchvision's `Resize` does to images. */
import { blankImage, CannotTransform, type Image, type Size } from "./image.ts";

/** A part of an image in whole pixels. */
export interface Box {
  readonly top: number;
  readonly left: number;
  readonly height: number;
  readonly width: number;
}

/** Weights are whole numbers of 2⁻²². */
const BITS = 22;
const HALF = 1 << (BITS - 1);

/** For each output pixel along an axis: its first input pixel, how many, and their weights, `most` a pixel. */
interface Taps {
  readonly first: Int32Array;
  readonly count: Int32Array;
  readonly weights: Int32Array;
  readonly most: number;
}

/**
 * The triangle filter, widened where the image shrinks, so that every input pixel counts, for `length` of the output pixels
 * from `start` on.
 */
function triangleTaps(input: number, output: number, start: number, length: number): Taps {
  const scale = input / output;
  const support = Math.max(scale, 1);
  const most = 2 * Math.ceil(support) + 1;
  const taps = {
    first: new Int32Array(length),
    count: new Int32Array(length),
    weights: new Int32Array(length * most),
    most,
  };
  const row = new Float64Array(most);
  for (let i = 0; i < length; i++) {
    const centre = (start + i + 0.5) * scale;
    const first = Math.max(Math.trunc(centre - support + 0.5), 0);
    const count = Math.min(Math.trunc(centre + support + 0.5), input) - first;
    let sum = 0;
    for (let j = 0; j < count; j++) {
      row[j] = Math.max(1 - Math.abs((j + first - centre + 0.5) / support), 0);
      sum += row[j]!;
    }
    for (let j = 0; j < count; j++) {
      taps.weights[i * most + j] = Math.trunc(0.5 + row[j]! / sum * (1 << BITS));
    }
    taps.first[i] = first;
    taps.count[i] = count;
  }
  return taps;
}

/** Pixels between the two steps, across and down: far more than of any photograph. */
const MOST_BETWEEN = 1e8;

/**
 * The part of the image in `box`, as an image of this size; or of that image no more than `seen`. Throws `CannotTransform` where
 * it would take gigabytes.
 */
export function resizedCrop(
  image: Image,
  box: Box,
  [height, width]: Size,
  seen: Box = { top: 0, left: 0, height, width },
): Image {
  const { channels } = image;
  // The rows of the box that count, and what of each.
  const down = height === box.height ? undefined : triangleTaps(box.height, height, seen.top, seen.height);
  const top = down ? down.first[0]! : seen.top;
  const bottom = down ? down.first.at(-1)! + down.count.at(-1)! : seen.top + seen.height;
  if ((bottom - top) * seen.width > Math.max(MOST_BETWEEN, image.width * image.height)) {
    throw new CannotTransform(
      `${image.width}×${image.height} pixels cannot be resized to ${width}×${height}`,
    );
  }
  const across = blankImage(seen.width, bottom - top, channels);
  const origin = ((box.top + top) * image.width + box.left) * channels;
  if (width === box.width) copyRows(image, origin + seen.left * channels, across);
  else {
    const taps = triangleTaps(box.width, width, seen.left, seen.width);
    if (channels === 3) resizeRows3(image, origin, taps, across);
    else resizeRows(image, origin, taps, across);
  }
  return down ? resizeColumns(across, { ...down, first: down.first.map((row) => row - top) }) : across;
}

/** The whole image, as one of this size. */
export function resize(image: Image, size: Size): Image {
  return resizedCrop(image, wholeOf(image), size);
}

export function wholeOf({ height, width }: Pick<Image, "height" | "width">): Box {
  return { top: 0, left: 0, height, width };
}

function copyRows(image: Image, origin: number, target: Image): void {
  const row = target.width * target.channels, stride = image.width * image.channels;
  for (let y = 0; y < target.height; y++) {
    const from = origin + y * stride;
    target.data.set(image.data.subarray(from, from + row), y * row);
  }
}

function resizeRows(image: Image, origin: number, taps: Taps, target: Image): void {
  const { first, count, weights, most } = taps;
  const { channels } = image;
  let to = 0;
  for (let y = 0; y < target.height; y++) {
    const row = origin + y * image.width * channels;
    for (let x = 0; x < target.width; x++) {
      for (let c = 0; c < channels; c++) {
        let sum = HALF;
        for (let j = 0, from = row + first[x]! * channels + c; j < count[x]!; j++, from += channels) {
          sum = (sum + Math.imul(weights[x * most + j]!, image.data[from]!)) | 0;
        }
        target.data[to++] = sum >> BITS;
      }
    }
  }
}

/** The same for three channels at a time, which is several times faster. */
function resizeRows3(image: Image, origin: number, taps: Taps, target: Image): void {
  const { first, count, weights, most } = taps;
  const { data } = image;
  const out = target.data;
  let to = 0;
  for (let y = 0; y < target.height; y++) {
    const row = origin + y * image.width * 3;
    for (let x = 0; x < target.width; x++) {
      let red = HALF, green = HALF, blue = HALF;
      let from = row + first[x]! * 3;
      for (let j = x * most, end = j + count[x]!; j < end; j++, from += 3) {
        const weight = weights[j]!;
        red = (red + Math.imul(weight, data[from]!)) | 0;
        green = (green + Math.imul(weight, data[from + 1]!)) | 0;
        blue = (blue + Math.imul(weight, data[from + 2]!)) | 0;
      }
      out[to] = red >> BITS;
      out[to + 1] = green >> BITS;
      out[to + 2] = blue >> BITS;
      to += 3;
    }
  }
}

/** Four rows at a time, which is several times faster than one; a row too many has the weight 0. */
function resizeColumns(image: Image, { first, count, weights, most }: Taps): Image {
  const height = first.length;
  const target = blankImage(image.width, height, image.channels);
  const { data } = image;
  const out = target.data;
  const row = image.width * image.channels;
  const sums = new Int32Array(row);
  for (let y = 0; y < height; y++) {
    sums.fill(HALF);
    const end = first[y]! + count[y]!;
    for (let line = first[y]!; line < end; line += 4) {
      const at = y * most + line - first[y]!;
      const a = weights[at]!;
      const b = line + 1 < end ? weights[at + 1]! : 0, c = line + 2 < end ? weights[at + 2]! : 0;
      const d = line + 3 < end ? weights[at + 3]! : 0;
      const [fromA, fromB] = [line * row, Math.min(line + 1, end - 1) * row];
      const [fromC, fromD] = [Math.min(line + 2, end - 1) * row, Math.min(line + 3, end - 1) * row];
      for (let i = 0; i < row; i++) {
        sums[i] = sums[i]! + Math.imul(a, data[fromA + i]!) + Math.imul(b, data[fromB + i]!) +
          Math.imul(c, data[fromC + i]!) + Math.imul(d, data[fromD + i]!);
      }
    }
    for (let i = 0, to = y * row; i < row; i++) out[to + i] = sums[i]! >> BITS;
  }
  return target;
}
