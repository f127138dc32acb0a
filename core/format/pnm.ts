/** Netpbm's pictures, as bytes or as text: PBM (black and white), PGM (grey) and PPM (colours). */
import { type Image, roundHalfEven } from "../data/transforms/image.ts";

interface PnmHeader {
  readonly width: number;
  readonly height: number;
  readonly content: "bits" | "grey" | "colours";
  readonly isText: boolean;
  /** The highest value of a sample. */
  readonly most: number;
  /** Where the samples begin. */
  readonly start: number;
}

const CONTENTS = ["bits", "grey", "colours"] as const;
/** Longer ones, of many remarks, are not looked at. */
const HEADER_BYTES = 4096;
/** Behind spaces and remarks. */
const NUMBER = /(?:\s|#[^\n\r]*[\n\r])+(\d{1,9})/y;

/** What a file says of itself; undefined where it is no such picture. */
export function pnmHeader(file: Uint8Array): PnmHeader | undefined {
  const text = String.fromCharCode(...file.subarray(0, HEADER_BYTES));
  const kind = Number(/^P([1-6])\s/.exec(text)?.[1]) - 1;
  const content = CONTENTS[kind % 3];
  if (content === undefined) return undefined;
  NUMBER.lastIndex = 2;
  const number = () => Number(NUMBER.exec(text)?.[1]);
  const [width, height, most] = [number(), number(), content === "bits" ? 1 : number()];
  // Where a number is missing, lastIndex is 0.
  if (!(width > 0 && height > 0 && most > 0 && most < 65536)) return undefined;
  return { width, height, content, isText: kind < 3, most, start: NUMBER.lastIndex + 1 };
}

/** The picture, grey (1 channel) or in red, green and blue (3), with 8 bits a sample. Throws where it is cut short. */
export function decodePnm(file: Uint8Array): Image {
  const header = pnmHeader(file);
  if (!header) throw new Error("none of Netpbm's pictures");
  const { width, height, content, isText, most, start } = header;
  const channels = content === "colours" ? 3 : 1;
  const rest = file.subarray(start);
  const count = width * height * channels;
  const least = isText ? count : content === "bits" ? Math.ceil(width / 8) * height : count;
  if (rest.length < least) throw new Error("the picture is cut short");
  const samples = isText
    ? textSamples(rest, count, content === "bits")
    : content === "bits"
    ? bitSamples(rest, width, count)
    : byteSamples(rest, count, most);
  const byte = (value: number) => roundHalfEven(255 * Math.min(value / most, 1));
  // Of bits, 1 is black.
  const data = Uint8Array.from(samples, content === "bits" ? (value) => 255 * (1 - value) : byte);
  return { width, height, channels, data };
}

function byteSamples(bytes: Uint8Array, count: number, most: number): ArrayLike<number> {
  if (most < 256) return bytes.subarray(0, count);
  if (bytes.length < 2 * count) throw new Error("the picture is cut short");
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  return Uint16Array.from({ length: count }, (_, i) => view.getUint16(2 * i));
}

/** Rows begin with a byte of their own; the highest bit is the leftmost pixel. */
function bitSamples(bytes: Uint8Array, width: number, count: number): ArrayLike<number> {
  const row = Math.ceil(width / 8);
  return Uint8Array.from({ length: count }, (_, i) => {
    const [y, x] = [Math.floor(i / width), i % width];
    return bytes[y * row + (x >> 3)]! >> 7 - x % 8 & 1;
  });
}

/** Decimal numbers between spaces and remarks; bits need no spaces. */
function textSamples(bytes: Uint8Array, count: number, areBits: boolean): ArrayLike<number> {
  const samples = new Uint16Array(count);
  const isDigit = (byte: number) => byte >= 48 && byte <= 57;
  let at = 0;
  for (let i = 0; i < count; i++) {
    while (at < bytes.length && !isDigit(bytes[at]!)) {
      if (bytes[at++] !== 35) continue;
      while (at < bytes.length && bytes[at] !== 10 && bytes[at] !== 13) at++;
    }
    if (at === bytes.length) throw new Error("the picture is cut short");
    let value = 0;
    do value = 10 * value + bytes[at++]! - 48; while (!areBits && at < bytes.length && isDigit(bytes[at]!));
    samples[i] = Math.min(value, 65535);
  }
  return samples;
}
