import { type Image, withChannels } from "../data/transforms/image.ts";
import { resize } from "../data/transforms/resample.ts";
import type { Activation } from "./grad_cam.ts";

/** An image half covered by colours: blue where the network found nothing of the class, over green to red. */
export function overlay(image: Image, { height, width, values }: Activation): Image {
  const heat = {
    height,
    width,
    channels: 1,
    data: Uint8Array.from(values, (value) => Math.round(255 * value)),
  };
  const spread = resize(heat, [image.height, image.width]).data;
  const coloured = withChannels(image, 3);
  const data = Uint8Array.from(
    coloured.data,
    (byte, i) => Math.round((byte + 255 * jet(spread[Math.floor(i / 3)]! / 255, i % 3)) / 2),
  );
  return { ...coloured, data };
}

/** The colour map of the paper's pictures: red, green and blue (channel 0, 1, 2) of a value, all 0 … 1. */
function jet(value: number, channel: number): number {
  return Math.min(1, Math.max(0, 1.5 - Math.abs(4 * value - 3 + channel)));
}
