/** Windows bitmaps: the picture format that every browser reads and that takes no compression to write. */
import type { Image } from "../data/transforms/image.ts";

const HEADERS = 54;

/** `pixels`: `[height, width, channels]` bytes, grey (1 channel) or RGB (3). */
export function encodeBmp(
  pixels: Uint8Array,
  width: number,
  height: number,
  channels: number,
): Uint8Array<ArrayBuffer> {
  const row = Math.ceil(3 * width / 4) * 4;
  const file = new Uint8Array(HEADERS + row * height);
  const view = new DataView(file.buffer);
  file.set([0x42, 0x4d]); // "BM"
  view.setUint32(2, file.length, true);
  view.setUint32(10, HEADERS, true);
  view.setUint32(14, 40, true); // the second header's length
  view.setInt32(18, width, true);
  view.setInt32(22, height, true);
  view.setUint16(26, 1, true); // planes
  view.setUint16(28, 24, true); // bits a pixel
  for (let y = 0; y < height; y++) {
    let at = HEADERS + (height - 1 - y) * row; // the lowest row comes first
    for (let x = 0; x < width; x++) {
      const from = (y * width + x) * channels;
      // Blue comes first.
      for (let channel = 2; channel >= 0; channel--) {
        file[at++] = pixels[from + (channels === 3 ? channel : 0)]!;
      }
    }
  }
  return file;
}

interface BmpHeader {
  readonly width: number;
  readonly height: number;
  /** Whether the highest row comes first. */
  readonly fromTop: boolean;
  readonly bits: number;
  readonly compression: number;
  /** Where the palette is, how many colours it has, and where the pixels begin. */
  readonly palette: number;
  readonly colours: number;
  readonly pixels: number;
}

const PLAIN = 0, BITFIELDS = 3;
const BITS = [1, 4, 8, 16, 24, 32];

/** What a file says of itself; undefined where it is no bitmap, or of a kind as old as Windows 2. */
export function bmpHeader(file: Uint8Array): BmpHeader | undefined {
  if (file.length < HEADERS || file[0] !== 0x42 || file[1] !== 0x4d) return undefined;
  const view = new DataView(file.buffer, file.byteOffset, file.length);
  const [length, width, signed] = [
    view.getUint32(14, true),
    view.getInt32(18, true),
    view.getInt32(22, true),
  ];
  if (length < 40 || length > 124 || width <= 0 || signed === 0) return undefined;
  const bits = view.getUint16(28, true), compression = view.getUint32(30, true);
  const masks = compression === BITFIELDS && length === 40 ? 12 : 0;
  return {
    width,
    height: Math.abs(signed),
    fromTop: signed < 0,
    bits,
    compression,
    palette: 14 + length + masks,
    colours: bits > 8 ? 0 : view.getUint32(46, true) || 2 ** bits,
    pixels: view.getUint32(10, true),
  };
}

/** The picture in red, green and blue; alpha is passed over. Throws where it is compressed, damaged or cut short. */
export function decodeBmp(file: Uint8Array): Image {
  const header = bmpHeader(file);
  if (!header) throw new Error("no Windows bitmap");
  const { width, height, fromTop, bits, compression, pixels } = header;
  const isKnown = compression === PLAIN || compression === BITFIELDS && (bits === 16 || bits === 32);
  if (!BITS.includes(bits) || !isKnown) {
    throw new Error(`a bitmap of ${bits} bits a pixel, compressed in way ${compression}, is not read`);
  }
  const row = Math.ceil(width * bits / 32) * 4;
  if (pixels + row * height > file.length) throw new Error("the bitmap is cut short");
  const colourAt = colours(file, header);
  const data = new Uint8Array(width * height * 3);
  for (let y = 0, at = 0; y < height; y++) {
    const start = pixels + (fromTop ? y : height - 1 - y) * row;
    for (let x = 0; x < width; x++) {
      const colour = colourAt(start, x);
      data[at++] = colour >> 16;
      data[at++] = colour >> 8;
      data[at++] = colour;
    }
  }
  return { width, height, channels: 3, data };
}

/** What tells the colour of a pixel, as 0xRRGGBB, by where its row begins and its place in the row. */
function colours(file: Uint8Array, header: BmpHeader): (row: number, x: number) => number {
  const { bits, compression, palette } = header;
  const colour = (at: number) => file[at + 2]! << 16 | file[at + 1]! << 8 | file[at]!;
  if (bits <= 8) {
    const each = 8 / bits, mask = 2 ** bits - 1;
    return (row, x) => {
      const index = file[row + Math.floor(x / each)]! >> 8 - bits - x % each * bits & mask;
      if (index >= header.colours) throw new Error(`the palette has no colour ${index}`);
      return colour(palette + 4 * index);
    };
  }
  const bytes = bits / 8;
  if (compression === PLAIN && bits > 16) return (row, x) => colour(row + x * bytes);
  const view = new DataView(file.buffer, file.byteOffset, file.length);
  const word = bits === 16
    ? (at: number) => view.getUint16(at, true)
    : (at: number) => view.getUint32(at, true);
  const masks = compression === PLAIN
    ? [0x7c00, 0x3e0, 0x1f]
    : [0, 4, 8].map((at) => view.getUint32(HEADERS + at, true));
  const [red, green, blue] = masks.map(channel) as [Channel, Channel, Channel];
  return (row, x) => {
    const all = word(row + x * bytes);
    return red(all) << 16 | green(all) << 8 | blue(all);
  };
}

type Channel = (word: number) => number;

/** Takes the bits of a mask out of a word, as 0 … 255. */
function channel(mask: number): Channel {
  const shift = mask === 0 ? 0 : 31 - Math.clz32(mask & -mask);
  const most = mask >>> shift;
  return (word) => most === 0 ? 0 : Math.floor(255 * ((word & mask) >>> shift) / most);
}
