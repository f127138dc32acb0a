/** Batches whose images are mixed with each other: mixup (Zhang et al. 2018) and cutmix (Yun et al. 2019). */
import { f32 } from "../graph/graph.ts";
import { expectRank, first, Misfit, type Op } from "./op.ts";

type None = Record<never, never>;

/**
 * `(x f32 [N, C, H, W], mix f32 [5]) → y`: with mix = λ, top, left, bottom, right, image i is
 * λ·x[i] + (1 − λ)·x[N − 1 − i] outside the box of rows top … bottom − 1 and columns left … right − 1, and x[N − 1 − i]
 * inside. The box must lie within the image.
 */
export const mix_images: Op<None> = {
  infer(inputs) {
    const x = first(inputs), mix = first(inputs, 1);
    expectRank(x.shape, 4, "images (N, C, H, W)");
    if (mix.dtype !== "f32" || mix.shape.length !== 1 || mix.shape[0] !== 5) {
      throw new Misfit("the mix must be f32 [5]");
    }
    return [f32(x.shape)];
  },
};

/** `x [N, …] → y`: the rows of the first axis in the reverse order, of any type but bytes; torch.flip(x, [0]). */
export const flip: Op<None> = {
  infer(inputs) {
    const { shape, dtype } = first(inputs);
    if (shape.length === 0 || dtype === "u8") throw new Misfit("there must be rows of numbers to flip");
    return [{ shape, dtype }];
  },
};
