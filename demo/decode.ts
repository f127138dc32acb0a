/// <reference lib="dom" />
/** Image files to bytes of pixels, by the browser's own decoders. */
import type { Image } from "../core/data/transforms/image.ts";
import { UserError } from "../core/errors.ts";

/**
 * Decodes as `predict` does: upright, without colour profiles, what is transparent on white. Lossless files give the same
 * bytes; of JPEG, browsers round colours a little differently. Throws `UserError`.
 */
export async function decodeImage(file: File): Promise<Image> {
  try {
    const bitmap = await createImageBitmap(file, {
      imageOrientation: "from-image",
      colorSpaceConversion: "none",
    });
    const { width, height } = bitmap;
    const context = new OffscreenCanvas(width, height).getContext("2d", { willReadFrequently: true })!;
    context.fillStyle = "white";
    context.fillRect(0, 0, width, height);
    context.drawImage(bitmap, 0, 0);
    bitmap.close();
    const { data } = context.getImageData(0, 0, width, height);
    return { width, height, channels: 3, data: withoutAlpha(data) };
  } catch {
    throw new UserError(`${file.name}: this browser cannot decode it as an image`);
  }
}

function withoutAlpha(rgba: Uint8ClampedArray): Uint8Array {
  const rgb = new Uint8Array(rgba.length / 4 * 3);
  for (let from = 0, to = 0; from < rgba.length; from += 4) {
    rgb[to++] = rgba[from]!;
    rgb[to++] = rgba[from + 1]!;
    rgb[to++] = rgba[from + 2]!;
  }
  return rgb;
}
