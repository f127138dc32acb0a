/** Rotation, shear and translation by the nearest pixel, black outside, byte for byte as Pillow's `transform`. */
import { blankImage, type Image } from "./image.ts";

/** Output (x, y) is the input's (a·x + b·y + c, d·x + e·y + f), both measured at the pixels' centres. */
type Matrix = readonly [a: number, b: number, c: number, d: number, e: number, f: number];

function transform(image: Image, [a, b, c, d, e, f]: Matrix): Image {
  const { width, height, channels, data } = image;
  const target = blankImage(width, height, channels);
  // Places are sums of 16-bit fractions, so that every machine rounds alike.
  const fix = (x: number) => Math.floor(x * 65536 + 0.5);
  const [stepX, stepY] = [fix(a), fix(d)];
  let rowX = fix(c + a * 0.5 + b * 0.5), rowY = fix(f + d * 0.5 + e * 0.5);
  for (let y = 0, to = 0; y < height; y++) {
    let placeX = rowX, placeY = rowY;
    for (let x = 0; x < width; x++, to += channels) {
      const column = placeX >> 16, row = placeY >> 16;
      if (column >= 0 && column < width && row >= 0 && row < height) {
        const from = (row * width + column) * channels;
        for (let k = 0; k < channels; k++) target.data[to + k] = data[from + k]!;
      }
      placeX += stepX;
      placeY += stepY;
    }
    rowX += fix(b);
    rowY += fix(e);
  }
  return target;
}

/** Shifts each row to the left by `factor` times its number. */
export function shearX(image: Image, factor: number): Image {
  return transform(image, [1, factor, 0, 0, 1, 0]);
}

/** Shifts each column up by `factor` times its number. */
export function shearY(image: Image, factor: number): Image {
  return transform(image, [1, 0, 0, factor, 1, 0]);
}

/** Moves the image right and down by whole pixels. */
export function translate(image: Image, right: number, down: number): Image {
  return transform(image, [1, 0, -right, 0, 1, -down]);
}

/** Turns the image about its middle, counter-clockwise. */
export function rotate(image: Image, degrees: number): Image {
  const angle = -degrees * Math.PI / 180;
  if (angle === 0) return image;
  const cos = Math.cos(angle), sin = Math.sin(angle);
  const x = image.width / 2, y = image.height / 2;
  return transform(image, [cos, sin, -x * cos - y * sin + x, -sin, cos, x * sin - y * cos + y]);
}
