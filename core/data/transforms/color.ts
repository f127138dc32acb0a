/**
 * Brightness, contrast, saturation, hue and sharpness, byte for byte as torchvision's `adjust_…` on Pillow images: each
 * is the image blended with a degenerate one (black, grey, grey values, blurred), beyond it where the factor is over 1.
 */
import { type Image, mapBytes, toGrey } from "./image.ts";

const { fround } = Math;

/** `from + factor · (to − from)` in single precision, cut to a byte. */
function blend(from: number, to: number, factor: number): number {
  const value = fround(from + fround(factor * (to - from)));
  return value <= 0 ? 0 : value >= 255 ? 255 : Math.trunc(value);
}

/** Blends every byte with the same one. */
function blendWith(image: Image, byte: number, factor: number): Image {
  const single = fround(factor);
  return mapBytes(image, Uint8Array.from({ length: 256 }, (_, value) => blend(byte, value, single)));
}

export function adjustBrightness(image: Image, factor: number): Image {
  return blendWith(image, 0, factor);
}

export function adjustContrast(image: Image, factor: number): Image {
  const grey = toGrey(image).data;
  let sum = 0;
  for (let i = 0; i < grey.length; i++) sum += grey[i]!;
  return blendWith(image, Math.trunc(sum / grey.length + 0.5), factor);
}

export function adjustSaturation(image: Image, factor: number): Image {
  if (image.channels === 1) return image;
  const grey = toGrey(image).data;
  return blendImages(image, (at) => grey[Math.trunc(at / 3)]!, factor);
}

/** The degenerate image is smoothed by 3×3 weights of 1 and, in the middle, 5; its border stays as it is. */
export function adjustSharpness(image: Image, factor: number): Image {
  const { width, height, channels, data } = image;
  const row = width * channels;
  const smooth = data.slice();
  for (let y = 1; y < height - 1; y++) {
    for (let at = y * row + channels; at < (y + 1) * row - channels; at++) {
      let sum = 4 * data[at]!;
      for (let line = at - row; line <= at + row; line += row) {
        sum += data[line - channels]! + data[line]! + data[line + channels]!;
      }
      smooth[at] = Math.floor((2 * sum + 13) / 26);
    }
  }
  return blendImages(image, (at) => smooth[at]!, factor);
}

function blendImages(image: Image, degenerate: (at: number) => number, factor: number): Image {
  const single = fround(factor);
  const data = new Uint8Array(image.data.length);
  for (let i = 0; i < data.length; i++) data[i] = blend(degenerate(i), image.data[i]!, single);
  return { ...image, data };
}

/** Turns the hue by `factor` (−0.5 … 0.5) of the colour circle, through Pillow's HSV of bytes. */
export function adjustHue(image: Image, factor: number): Image {
  if (image.channels === 1) return image;
  const turn = Math.trunc(factor * 255);
  const data = new Uint8Array(image.data.length);
  for (let at = 0; at < data.length; at += 3) {
    const red = image.data[at]!, green = image.data[at + 1]!, blue = image.data[at + 2]!;
    const value = Math.max(red, green, blue), range = value - Math.min(red, green, blue);
    let hue = 0, saturation = 0;
    if (range > 0) {
      const r = fround((value - red) / range), g = fround((value - green) / range);
      const b = fround((value - blue) / range);
      const h = fround(red === value ? b - g : green === value ? 2 + r - b : 4 + g - r);
      hue = Math.trunc(fround((h / 6 + 1) % 1) * 255);
      saturation = Math.trunc(fround(range / value) * 255);
    }
    fromHsv(data, at, (hue + turn) & 255, saturation, value);
  }
  return { ...image, data };
}

function fromHsv(data: Uint8Array, at: number, hue: number, saturation: number, value: number): void {
  const sector = Math.floor(hue * 6 / 255);
  const f = fround(hue * 6 / 255 - sector), s = fround(saturation / 255);
  const p = Math.round(value * (1 - s)), q = Math.round(value * (1 - s * f));
  const t = Math.round(value * (1 - s * (1 - f)));
  const which = saturation === 0 ? -1 : sector % 6;
  // The brightest channel, and what the others are in each sixth of the circle.
  data[at] = which === 1 ? q : which === 2 || which === 3 ? p : which === 4 ? t : value;
  data[at + 1] = which === 0 ? t : which === 3 ? q : which === 4 || which === 5 ? p : value;
  data[at + 2] = which === 0 || which === 1 ? p : which === 2 ? t : which === 5 ? q : value;
}
