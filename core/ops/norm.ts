/** Batch normalisation (Ioffe & Szegedy 2015) and local response normalisation (Krizhevsky et al. 2012). */
import { f32, type TensorType } from "../graph/graph.ts";
import { formatShape } from "../shape.ts";
import type { Activation, WithEpilogue } from "./epilogue.ts";
import { at, expectRank, expectWhole, first, known, Misfit, type Op, sameAsInput } from "./op.ts";

export interface BatchNormAttrs extends WithEpilogue {
  /** Normalise with the batch's statistics and update the running ones; otherwise with the running ones. */
  readonly training: boolean;
  /** running = (1 − momentum) · running + momentum · batch, PyTorch's convention. */
  readonly momentum: number;
  readonly eps: number;
}

/** Checks `(x [N, C, …], scale [C], shift [C], running mean [C], running variance [C])`; returns C. */
function channelsOf(inputs: readonly TensorType[]): number {
  const x = first(inputs).shape;
  if (x.length < 2) throw new Misfit(`batch norm needs (N, C, …), not ${formatShape(x)}`);
  const channels = at(x, 1);
  for (const vector of [1, 2, 3, 4].map((index) => first(inputs, index))) {
    if (vector.shape.length !== 1 || vector.shape[0] !== channels) {
      throw new Misfit(`the layer normalises ${vector.shape[0]} channels and gets ${channels}`);
    }
  }
  return channels;
}

/**
 * `(x [N, C, …], weight [C], bias [C], running_mean [C], running_var [C]) → y, mean [C], invstd [C]`.
 * With `training`, mean and invstd = 1/√(var + eps) are the batch's, and the running statistics (with the unbiased
 * variance) are updated in place. Without, they are the running ones.
 */
export const batch_norm: Op<BatchNormAttrs> = {
  infer(inputs, attrs) {
    const channels = channelsOf(inputs);
    const x = first(inputs).shape;
    const perChannel = x.reduce((product, extent, axis) => axis === 1 ? product : product * extent, 1);
    if (attrs.training && perChannel === 1) {
      throw new Misfit("batch norm cannot train on one value per channel: use a batch of two or more");
    }
    return [f32(x), f32([channels]), f32([channels])];
  },
  gradient(emit, { inputs: [x, weight], outputs: [, mean, invstd], attrs }, [grad]) {
    const inputs = [known(grad), known(x), known(weight), known(mean), known(invstd)];
    const [dx, dWeight, dBias] = emit("batch_norm_grad", inputs, { training: attrs.training });
    return [dx, dWeight, dBias];
  },
  mutates: (_inputs, attrs) => attrs.training ? [3, 4] : [],
  // Input 5 belongs to an epilogue.
  inplace: [0, 5],
};

export interface BatchNormGradAttrs extends WithEpilogue {
  readonly training: boolean;
  /**
   * In a fused graph: dy is the gradient to the output of this activation, which follows the norm, and the norm's bias is a
   * sixth input.
   */
  readonly activation?: { readonly op: Activation; readonly negative_slope?: number };
}

/**
 * `(dy, x, weight, mean, invstd, bias?) → dx, dweight [C], dbias [C]`, with x̂ = (x − mean)·invstd and m values per channel:
 * dbias = Σdy, dweight = Σdy·x̂, dx = weight·invstd·(dy − dbias/m − x̂·dweight/m); without `training` the statistics
 * are constants and dx = weight·invstd·dy.
 */
export const batch_norm_grad: Op<BatchNormGradAttrs> = {
  infer(inputs) {
    const x = first(inputs, 1).shape;
    return [f32(x), f32([at(x, 1)]), f32([at(x, 1)])];
  },
  inplace: [0, 1],
};

export interface LocalResponseNormAttrs {
  readonly size: number;
  readonly alpha: number;
  readonly beta: number;
  readonly k: number;
}

/**
 * `y = x / (k + alpha/size · Σ x²)^beta`, the sum over `size` neighbouring channels: from `floor(size/2)` before to
 * `floor((size − 1)/2)` after, as in PyTorch.
 */
export const local_response_norm: Op<LocalResponseNormAttrs> = {
  infer(inputs, { size }) {
    const x = first(inputs).shape;
    expectWhole("size", [size], 1);
    if (x.length < 3) expectRank(x, 4, "the input of local_response_norm (N, C, H, W)");
    return [f32(x)];
  },
  gradient: (emit, { inputs: [x], attrs }, [grad]) => [
    emit("local_response_norm_grad", [known(grad), known(x)], attrs)[0],
  ],
};

/** `(dy, x) → dx` */
export const local_response_norm_grad: Op<LocalResponseNormAttrs> = { infer: sameAsInput };
