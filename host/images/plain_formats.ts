/** Formats that torchvision's ImageFolder takes and libvips, as sharp brings it, does not. */
import type { Image } from "../../core/data/transforms/image.ts";
import { bmpHeader, decodeBmp } from "../../core/format/bmp.ts";
import { decodePnm, pnmHeader } from "../../core/format/pnm.ts";
import type { PixelSize } from "./quick_size.ts";

export interface PlainFormat {
  readonly name: string;
  /** Of a file's first bytes; undefined where they are of another format. */
  size(head: Uint8Array): PixelSize | undefined;
  /** Throws where the file is damaged. */
  decode(file: Uint8Array): Image;
}

const FORMATS: readonly PlainFormat[] = [
  { name: "bmp", size: bmpHeader, decode: decodeBmp },
  { name: "pnm", size: pnmHeader, decode: decodePnm },
];

/** What a file is of, with its size; undefined where sharp is for it. */
export function plainFormat(head: Uint8Array): { format: PlainFormat; size: PixelSize } | undefined {
  for (const format of FORMATS) {
    const found = format.size(head);
    if (found) return { format, size: { width: found.width, height: found.height } };
  }
  return undefined;
}
