/** Pooling over windows of an image. */
import { f32, i32 } from "../graph/graph.ts";
import type { Shape } from "../shape.ts";
import type { WithEpilogue } from "./epilogue.ts";
import { expectRank, expectWhole, first, known, Misfit, type Op } from "./op.ts";
import { expectSliding, slidingExtent } from "./sliding.ts";

export interface PoolAttrs {
  readonly kernel: readonly [number, number];
  readonly stride: readonly [number, number];
  /** `[top, left, bottom, right]` */
  readonly padding: readonly [number, number, number, number];
  /** Round the output's size up, so that windows may hang over the end; none starts beyond image and padding. */
  readonly ceil_mode: boolean;
}

function pooledExtent(
  extent: number,
  kernel: number,
  stride: number,
  before: number,
  after: number,
  dilation: number,
  ceil: boolean,
): number {
  if (!ceil) return slidingExtent(extent, kernel, stride, before, after, dilation);
  const windows = Math.ceil((extent + before + after - dilation * (kernel - 1) - 1) / stride) + 1;
  return (windows - 1) * stride >= extent + before ? windows - 1 : windows;
}

function pooledShape(x: Shape, attrs: PoolAttrs, dilation: readonly [number, number] = [1, 1]): Shape {
  expectRank(x, 4, "the input of a pool (N, C, H, W)");
  const [n, channels, height, width] = x as [number, number, number, number];
  const { kernel, stride, padding: [top, left, bottom, right], ceil_mode } = attrs;
  expectSliding(kernel, { ...attrs, dilation });
  const rows = pooledExtent(height, kernel[0], stride[0], top, bottom, dilation[0], ceil_mode);
  const columns = pooledExtent(width, kernel[1], stride[1], left, right, dilation[1], ceil_mode);
  if (rows < 1 || columns < 1) {
    throw new Misfit(
      `the ${kernel[0]}×${
        kernel[1]
      } window does not fit into the ${height}×${width} image: the image vanishes here`,
    );
  }
  return [n, channels, rows, columns];
}

export interface MaxPoolAttrs extends PoolAttrs {
  readonly dilation: readonly [number, number];
}

/**
 * `(x [N, C, H, W]) → y [N, C, H', W'], where i32 [N, C, H', W']`: the greatest of each window, and its place in the
 * image as `row · W + column`, the first of equals. Padding counts as −∞. In a fused graph `where` may be missing.
 */
export const max_pool2d: Op<MaxPoolAttrs> = {
  infer(inputs, attrs) {
    const { padding: [top, left, bottom, right], kernel, dilation } = attrs;
    const shape = pooledShape(first(inputs).shape, attrs, dilation);
    const reach = kernel.map((extent, axis) => dilation[axis as 0 | 1] * (extent - 1) + 1) as [
      number,
      number,
    ];
    if (Math.max(top, bottom) >= reach[0] || Math.max(left, right) >= reach[1]) {
      throw new Misfit(
        `padding [${attrs.padding.join(", ")}] leaves windows of a ${kernel.join("×")} pool empty`,
      );
    }
    return [f32(shape), i32(shape)];
  },
  gradient: (emit, { inputs: [x], outputs: [, where], attrs }, [dy]) => [
    emit("max_pool2d_grad", [known(dy), known(where)], { ...attrs, input: known(x).shape })[0],
  ],
};

/** `(dy, where) → dx` of shape `input`: each gradient goes to the place that won. */
export const max_pool2d_grad: Op<MaxPoolAttrs & { readonly input: Shape } & WithEpilogue> = {
  infer: (_inputs, attrs) => [f32(attrs.input)],
};

export interface AvgPoolAttrs extends PoolAttrs {
  /** Divide by the window's size with the padding in it; the part that hangs over in ceil mode never counts. */
  readonly count_include_pad: boolean;
}

/** `(x [N, C, H, W]) → y [N, C, H', W']`: the mean of each window. */
export const avg_pool2d: Op<AvgPoolAttrs> = {
  infer: (inputs, attrs) => [f32(pooledShape(first(inputs).shape, attrs))],
  gradient: (emit, { inputs: [x], attrs }, [dy]) => [
    emit("avg_pool2d_grad", [known(dy)], { ...attrs, input: known(x).shape })[0],
  ],
};

/** `(dy) → dx` of shape `input` */
export const avg_pool2d_grad: Op<AvgPoolAttrs & { readonly input: Shape } & WithEpilogue> = {
  infer: (_inputs, attrs) => [f32(attrs.input)],
};

export interface AdaptiveAvgPoolAttrs {
  readonly output: readonly [number, number];
}

/** `(x [N, C, H, W]) → y [N, C, oh, ow]`: cell i is the mean over rows `floor(i·H/oh) … ceil((i+1)·H/oh) − 1`. */
export const adaptive_avg_pool2d: Op<AdaptiveAvgPoolAttrs> = {
  infer(inputs, { output }) {
    const { shape } = first(inputs);
    expectRank(shape, 4, "the input of a pool (N, C, H, W)");
    expectWhole("the output's size", output, 1);
    return [f32([...shape.slice(0, 2), ...output])];
  },
  gradient: (emit, { inputs: [x], attrs }, [dy]) => [
    emit("adaptive_avg_pool2d_grad", [known(dy)], { ...attrs, input: known(x).shape })[0],
  ],
};

/** `(dy) → dx` of shape `input` */
export const adaptive_avg_pool2d_grad: Op<AdaptiveAvgPoolAttrs & { readonly input: Shape } & WithEpilogue> = {
  infer: (_inputs, attrs) => [f32(attrs.input)],
};
