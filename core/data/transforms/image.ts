/** One decoded image, and how transforms touch it: they make a new one and leave the old as it was. */
export interface Image {
  readonly width: number;
  readonly height: number;
  /** 1 (grey) or 3 (red, green, blue). */
  readonly channels: number;
  /** `[height, width, channels]` */
  readonly data: Uint8Array;
}

/** It is the image's fault: what it should become does not fit into memory. */
export class CannotTransform extends Error {}

export function blankImage(width: number, height: number, channels: number): Image {
  return { width, height, channels, data: new Uint8Array(width * height * channels) };
}

/** Height and width. */
export type Size = readonly [height: number, width: number];

/** Every byte replaced by the table's entry for it; the table is of one channel, or of all one after another. */
export function mapBytes(image: Image, table: Uint8Array): Image {
  const { channels } = image;
  const data = new Uint8Array(image.data.length);
  if (table.length === 256) {
    for (let i = 0; i < data.length; i++) data[i] = table[image.data[i]!]!;
  } else {
    for (let c = 0; c < channels; c++) {
      for (let i = c; i < data.length; i += channels) data[i] = table[256 * c + image.data[i]!]!;
    }
  }
  return { ...image, data };
}

/** Grey values as Pillow's mode "L": ITU-R 601-2 luma in 16-bit fixed point. */
export function toGrey(image: Image): Image {
  if (image.channels === 1) return image;
  const grey = blankImage(image.width, image.height, 1);
  const { data } = image;
  for (let i = 0, at = 0; i < grey.data.length; i++, at += 3) {
    grey.data[i] = (19595 * data[at]! + 38470 * data[at + 1]! + 7471 * data[at + 2]! + 0x8000) >> 16;
  }
  return grey;
}

/** The same image with this many channels: grey as three equal ones, or three as grey. */
export function withChannels(image: Image, channels: number): Image {
  if (image.channels === channels) return image;
  if (channels === 1) return toGrey(image);
  const { width, height } = image;
  const data = new Uint8Array(image.data.length * channels);
  for (let i = 0, at = 0; i < image.data.length; i++) {
    for (let c = 0; c < channels; c++) data[at++] = image.data[i]!;
  }
  return { width, height, channels, data };
}

/** Python's `round`: halves go to the even neighbour. */
export function roundHalfEven(x: number): number {
  const down = Math.floor(x);
  const rest = x - down;
  if (rest !== 0.5) return Math.round(x);
  return down % 2 === 0 ? down : down + 1;
}
