/** Tables over byte values: posterize, solarize, autocontrast and equalize, as Pillow's ImageOps. */
import { type Image, mapBytes } from "./image.ts";

const bytes = Array.from({ length: 256 }, (_, value) => value);

/** Keeps only the `bits` highest bits of each byte. */
export function posterize(image: Image, bits: number): Image {
  const mask = 0x100 - 2 ** (8 - bits);
  return mapBytes(image, Uint8Array.from(bytes, (value) => value & mask));
}

/** Inverts what is at or over the threshold. */
export function solarize(image: Image, threshold: number): Image {
  return mapBytes(image, Uint8Array.from(bytes, (value) => value < threshold ? value : 255 - value));
}

/** Stretches each channel, so that its darkest byte becomes 0 and its brightest 255. */
export function autocontrast(image: Image): Image {
  return mapBytes(
    image,
    tablePerChannel(image, (histogram) => {
      const low = histogram.findIndex((count) => count > 0),
        high = histogram.findLastIndex((count) => count > 0);
      if (high <= low) return bytes;
      const scale = 255 / (high - low), offset = -low * scale;
      return bytes.map((value) => Math.min(Math.max(Math.trunc(value * scale + offset), 0), 255));
    }),
  );
}

/** Spreads each channel's bytes, so that all occur about equally often. */
export function equalize(image: Image): Image {
  return mapBytes(
    image,
    tablePerChannel(image, (histogram) => {
      const present = [...histogram].filter((count) => count > 0);
      const step = Math.floor((image.width * image.height - present.at(-1)!) / 255);
      if (present.length <= 1 || step === 0) return bytes;
      let sum = Math.floor(step / 2);
      return bytes.map((value) => {
        const level = Math.min(Math.floor(sum / step), 255);
        sum += histogram[value]!;
        return level;
      });
    }),
  );
}

function tablePerChannel(
  { channels, data }: Image,
  tableOf: (histogram: Uint32Array) => readonly number[],
): Uint8Array {
  const table = new Uint8Array(256 * channels);
  for (let c = 0; c < channels; c++) {
    const histogram = new Uint32Array(256);
    for (let i = c; i < data.length; i += channels) histogram[data[i]!]!++;
    table.set(tableOf(histogram), 256 * c);
  }
  return table;
}
