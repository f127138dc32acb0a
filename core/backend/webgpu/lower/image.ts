/** Images as inputs of networks. */
import { sizeOf } from "../../../shape.ts";
import { groupsFor, reads, writes } from "../kernel.ts";
import { elements } from "../wgsl/elements.ts";
import { imageBatch, mixImages } from "../wgsl/image.ts";
import type { Lowering } from "./lowering.ts";

const image_batch: Lowering<"image_batch"> = (lower, { inputs: [pixels, moves], outputs: [x], attrs }) => {
  const { mean, std, crop: [rows, columns] } = attrs;
  const [, height, width, channels] = pixels!.shape as [number, number, number, number];
  // (pixel / 255 − mean) / std as pixel · scale + shift
  const floats = mean.flatMap((average, c) => [1 / (255 * std[c]!), -average / std[c]!]);
  const words = Array.from(new Int32Array(Float32Array.from(floats).buffer));
  const count = sizeOf(x!.shape);
  lower.add({
    kernel: "image_batch",
    code: elements(imageBatch.formula, imageBatch.helpers),
    buffers: {
      pixels: reads(pixels, "u32"),
      moves: reads(moves, "i32"),
      table: reads({ words }, "i32"),
      y: writes(x),
    },
    numbers: { count, height, width, channels, rows, columns },
    groups: groupsFor(count),
  });
};

const mix_images: Lowering<"mix_images"> = (lower, { inputs: [x, mix], outputs: [y] }) => {
  const [samples, channels, height, width] = y!.shape as [number, number, number, number];
  const count = sizeOf(y!.shape);
  lower.add({
    kernel: "mix_images",
    code: elements(mixImages.formula, mixImages.helpers),
    buffers: { x: reads(x), mix: reads(mix), y: writes(y) },
    numbers: { count, samples, height, width, channels },
    groups: groupsFor(count),
  });
};

export const imageLowerings = { image_batch, mix_images };
