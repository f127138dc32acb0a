/**
 * Image files to bytes of pixels, by sharp (libvips): those of torchvision's loader, Pillow's `convert("RGB")`. Colour profiles
 * are passed over, CMYK's too; of 16 bits a channel the higher 8 count; of an animation or of pages the first. Other than
 * there, on purpose: transparent pixels are put on white, where Pillow shows what lies under them; EXIF's orientation is
 * applied; grey of 16 bits is not cut off at 255.
 */
import sharp, { type Sharp } from "sharp";
import { checkIsFile, readHead } from "../files.ts";
import { plainFormat } from "./plain_formats.ts";
import { HEAD_BYTES, type PixelSize, quickSize } from "./quick_size.ts";
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
  /** Whether its colours are inks, CMYK. */
  readonly isPrint: boolean;
}

/** Reads the header of a file's bytes, or of a file in one of sharp's formats. Throws where there is none. */
export async function readHeader(file: string | Uint8Array): Promise<Header> {
  const plain = typeof file === "string" ? undefined : plainFormat(file);
  if (plain) return { ...plain.size, format: plain.format.name, isPrint: false };
  const { format, space, autoOrient } = await sharp(file, { limitInputPixels: false }).metadata();
  if (!FORMATS.includes(format)) throw new Error(`${format} is no format of photographs`);
  return { ...autoOrient, format, isPrint: space === "cmyk" };
}

/** The size of a file's image as seen upright, by its first bytes where they tell. Throws where there is none. */
export async function readSize(path: string): Promise<PixelSize> {
  checkIsFile(path);
  return quickSize(await readHead(path, HEAD_BYTES)) ?? await readHeader(path);
}

export interface OpenOptions {
  /** More pixels than these are refused. */
  readonly maxPixels?: number;
  /** Whether colours are those that the file's profile means. */
  readonly withProfile?: boolean;
}

/** A file's bytes upright, as sharp's pipeline. Throws where they are not a photograph's: an SVG could name other files. */
export async function openPhotograph(
  bytes: Uint8Array,
  { maxPixels = Infinity, withProfile = false }: OpenOptions = {},
): Promise<{ header: Header; image: Sharp }> {
  const header = await readHeader(bytes);
  checkPixels(header, maxPixels);
  const plain = plainFormat(bytes);
  if (plain) {
    const { width, height, channels, data } = plain.format.decode(bytes);
    const raw = { width, height, channels: channels as 1 | 3 };
    return { header, image: sharp(data, { limitInputPixels: false, raw }) };
  }
  // libvips takes whole numbers only; 4.1 million pixels are none.
  const limitInputPixels = Number.isFinite(maxPixels) &&
    Math.min(Math.ceil(maxPixels), Number.MAX_SAFE_INTEGER);
  const options = { limitInputPixels, failOn: "error", ignoreIcc: !withProfile } as const;
  return { header, image: sharp(bytes, options).autoOrient() };
}

export interface DecodeOptions {
  /** More pixels than these are refused. */
  readonly maxPixels: number;
  /** How many times smaller the image may be decoded: 1, 2, 4 or 8. */
  readonly reduction: (header: Header) => number;
}

/** Decodes a whole file's bytes, to three channels. Throws where they are damaged or cut short. */
export async function decode(bytes: Uint8Array, { maxPixels, reduction }: DecodeOptions): Promise<Image> {
  const { header, image: opened } = await openPhotograph(bytes, { maxPixels });
  const upright = header.isPrint
    ? opened.pipelineColourspace("cmyk").toColourspace("cmyk")
    : opened.flatten({ background: WHITE }).toColourspace("srgb");
  // Only JPEG can be decoded smaller in less time.
  const smaller = header.format === "jpeg" ? reduction(header) : 1;
  const width = Math.floor(header.width / smaller), height = Math.floor(header.height / smaller);
  const image = smaller > 1 ? upright.resize(width, height, { fit: "fill", kernel: "linear" }) : upright;
  const { data, info } = await image.raw({ depth: "uchar" }).toBuffer({ resolveWithObject: true });
  const size = { width: info.width, height: info.height, channels: 3 };
  if (header.isPrint && info.channels === 4) return { ...size, data: fromPrint(data) };
  if (info.channels !== 3) throw new Error(`${info.channels} channels cannot be shown`);
  return { ...size, data };
}

/** Inks (cyan, magenta, yellow, black) as red, green and blue, as Pillow has them: without a profile. */
function fromPrint(inks: Uint8Array): Uint8Array {
  const data = new Uint8Array(inks.length / 4 * 3);
  for (let i = 0, at = 0; i < inks.length; i += 4) {
    const light = 255 - inks[i + 3]!;
    for (let c = 0; c < 3; c++) data[at++] = light - over255(inks[i + c]! * light);
  }
  return data;
}

/** A product of two bytes by 255, rounded. */
function over255(product: number): number {
  const rounded = product + 128;
  return (rounded >> 8) + rounded >> 8;
}

/** Throws where an image has more pixels than it may: a small file can hold billions. */
export function checkPixels({ width, height }: PixelSize, maxPixels: number): void {
  if (width * height <= maxPixels) return;
  throw new Error(`${width}×${height} is more than ${maxPixels / 1e6} million pixels; see --max-megapixels`);
}
