/**
 * Image files to bytes of pixels, by sharp (libvips). What the kinds of images become:
 * grey ones three equal channels, where the network takes three; CMYK its colours on a screen; 16 bits a channel the
 * higher 8; transparent pixels are put on white; of an animation the first frame; EXIF's orientation is applied.
 * Colour profiles of RGB images are passed over, as torchvision does.
 */
import sharp from "sharp";
import type { PixelSize } from "./quick_size.ts";
import type { Image } from "../../core/data/transforms/image.ts";

/** Photographs' formats, by sharp's names. Not SVG and the like, which can be called .jpg and name other files. */
const FORMATS = ["jpeg", "png", "webp", "gif", "tiff", "heif", "avif"];
// Every image is read once, and there are as many workers as there should be.
sharp.cache(false);
sharp.concurrency(1);

const WHITE = { r: 255, g: 255, b: 255 };

/** What an image file says of itself before it is decoded, with its size as seen upright. */
export interface Header extends PixelSize {
  readonly format: string;
}

/** Reads the header of a file, or of a file's bytes. Throws where there is none. */
export async function readHeader(file: string | Uint8Array): Promise<Header> {
  const { format, autoOrient } = await sharp(file, { limitInputPixels: false }).metadata();
  if (!FORMATS.includes(format)) throw new Error(`${format} is no format of photographs`);
  return { ...autoOrient, format };
}

export interface DecodeOptions {
  readonly channels: number;
  /** More pixels than these are refused. */
  readonly maxPixels: number;
  /** How many times smaller the image may be decoded: 1, 2, 4 or 8. */
  readonly reduction: (header: Header) => number;
}

/** Decodes a whole file's bytes. Throws where they are damaged or cut short. */
export async function decode(bytes: Uint8Array, options: DecodeOptions): Promise<Image> {
  const { channels, maxPixels, reduction } = options;
  const header = await readHeader(bytes);
  checkPixels(header, maxPixels);
  let image = sharp(bytes, { limitInputPixels: maxPixels, failOn: "error", ignoreIcc: true })
    .autoOrient()
    .flatten({ background: WHITE })
    .toColourspace(channels === 1 ? "b-w" : "srgb");
  // Only JPEG can be decoded smaller in less time.
  const smaller = header.format === "jpeg" ? reduction(header) : 1;
  if (smaller > 1) {
    const width = Math.floor(header.width / smaller), height = Math.floor(header.height / smaller);
    image = image.resize(width, height, { fit: "fill", kernel: "linear" });
  }
  const { data, info } = await image.raw({ depth: "uchar" }).toBuffer({ resolveWithObject: true });
  if (info.channels !== 1 && info.channels !== 3) {
    throw new Error(`${info.channels} channels cannot be shown`);
  }
  return { width: info.width, height: info.height, channels: info.channels, data };
}

/** Throws where an image has more pixels than it may: a small file can hold billions. */
export function checkPixels({ width, height }: PixelSize, maxPixels: number): void {
  if (width * height <= maxPixels) return;
  throw new Error(`${width}×${height} is more than ${maxPixels / 1e6} million pixels; see --max-megapixels`);
}
