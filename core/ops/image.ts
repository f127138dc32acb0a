/** From the bytes of a batch of images to what a network eats. */
import { f32 } from "../graph/graph.ts";
import { expectRank, first, Misfit, type Op } from "./op.ts";

export interface ImageBatchAttrs {
  /** Per channel, in units of the 0…1 image. */
  readonly mean: readonly number[];
  readonly std: readonly number[];
  /** Height and width after cropping. */
  readonly crop: readonly [number, number];
}

/**
 * `(pixels u8 [N, H, W, C], moves i32 [N, 3]) → x f32 [N, C, h, w]`: RandomCrop, RandomHorizontalFlip, ToTensor and
 * Normalize in one pass. A sample's moves are (top, left, flip): output pixel (i, j) is the input's (top + i, left + j),
 * mirrored in the output where flip is 1, and 0 outside the image; then (pixel / 255 − mean) / std.
 * `pixels` is the one value stored as it is written: rows of interleaved channels, as image files have them.
 */
export const image_batch: Op<ImageBatchAttrs> = {
  infer(inputs, { mean, std, crop }) {
    const { shape, dtype } = first(inputs);
    expectRank(shape, 4, "pixels (N, H, W, C)");
    const [n, , , channels] = shape as [number, number, number, number];
    if (dtype !== "u8") throw new Misfit("pixels must be bytes");
    if (mean.length !== channels || std.length !== channels) {
      throw new Misfit(`mean and std have ${mean.length} and ${std.length} channels, the images ${channels}`);
    }
    return [f32([n, channels, ...crop])];
  },
};
