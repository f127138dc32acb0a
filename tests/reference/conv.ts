/** Convolutions and linear layers in float64, as their definitions say, on arrays in logical order. */
import type { ConvAttrs } from "../../core/ops/conv.ts";
import type { Shape } from "../../core/shape.ts";

type Numbers = ArrayLike<number>;
type Extents4 = readonly [number, number, number, number];

/** Products of a row: x from `x` on, `stride` apart, with one weight, for `count` numbers of y in a row. */
type Visit = (x: number, stride: number, weight: number, y: number, count: number) => void;

/** Calls `visit` with flat indices of x, weight and y for the convolution's sums, row by row. */
function eachRow(
  x: Shape,
  weight: Shape,
  y: Shape,
  { stride, padding: [top, left], dilation, groups }: ConvAttrs,
  visit: Visit,
): void {
  const [images, channels, height, width] = x as Extents4;
  const [out, perGroup, kernelHeight, kernelWidth] = weight as Extents4;
  const [, , rows, columns] = y as Extents4;
  for (let n = 0; n < images; n++) {
    for (let o = 0; o < out; o++) {
      const firstChannel = Math.floor(o / (out / groups)) * perGroup;
      for (let i = 0; i < rows; i++) {
        for (let c = 0; c < perGroup; c++) {
          for (let r = 0; r < kernelHeight; r++) {
            const h = i * stride[0] + r * dilation[0] - top;
            if (h < 0 || h >= height) continue;
            for (let s = 0; s < kernelWidth; s++) {
              // The columns j that see a pixel: 0 ≤ j · stride + offset < width.
              const offset = s * dilation[1] - left;
              const first = Math.max(0, Math.ceil(-offset / stride[1]));
              const count = Math.min(columns - 1, Math.floor((width - 1 - offset) / stride[1])) - first + 1;
              if (count <= 0) continue;
              visit(
                ((n * channels + firstChannel + c) * height + h) * width + first * stride[1] + offset,
                stride[1],
                ((o * perGroup + c) * kernelHeight + r) * kernelWidth + s,
                ((n * out + o) * rows + i) * columns + first,
                count,
              );
            }
          }
        }
      }
    }
  }
}

/** What the three directions of a convolution share. */
export interface ConvShapes {
  readonly x: Shape;
  readonly weight: Shape;
  readonly y: Shape;
  readonly attrs: ConvAttrs;
}

function zeros(shape: Shape): Float64Array {
  return new Float64Array(shape.reduce((a, b) => a * b, 1));
}

export function conv2d(shapes: ConvShapes, x: Numbers, weight: Numbers, bias?: Numbers): Float64Array {
  const y = zeros(shapes.y), [, out, rows, columns] = shapes.y as Extents4;
  if (bias) y.forEach((_, i) => y[i] = bias[Math.floor(i / (rows * columns)) % out]!);
  eachRow(shapes.x, shapes.weight, shapes.y, shapes.attrs, (i, stride, j, k, count) => {
    for (let at = 0; at < count; at++) y[k + at]! += x[i + at * stride]! * weight[j]!;
  });
  return y;
}

export function conv2dGradInput(shapes: ConvShapes, dy: Numbers, weight: Numbers): Float64Array {
  const dx = zeros(shapes.x);
  eachRow(shapes.x, shapes.weight, shapes.y, shapes.attrs, (i, stride, j, k, count) => {
    for (let at = 0; at < count; at++) dx[i + at * stride]! += dy[k + at]! * weight[j]!;
  });
  return dx;
}

export function conv2dGradWeight(shapes: ConvShapes, dy: Numbers, x: Numbers): Float64Array {
  const dw = zeros(shapes.weight);
  eachRow(shapes.x, shapes.weight, shapes.y, shapes.attrs, (i, stride, j, k, count) => {
    let sum = 0;
    for (let at = 0; at < count; at++) sum += dy[k + at]! * x[i + at * stride]!;
    dw[j]! += sum;
  });
  return dw;
}

/** c [m, n] = Σ_k a(i, k) · b(k, j) */
export function matrixProduct(
  [m, n, k]: readonly [number, number, number],
  a: (i: number, k: number) => number,
  b: (k: number, j: number) => number,
): Float64Array {
  return Float64Array.from({ length: m * n }, (_, index) => {
    const i = Math.floor(index / n), j = index % n;
    let sum = 0;
    for (let step = 0; step < k; step++) sum += a(i, step) * b(step, j);
    return sum;
  });
}

export function sumChannels(shape: Shape, x: Numbers): Float64Array {
  const channels = shape[1]!, inner = shape.slice(2).reduce((a, b) => a * b, 1);
  const sums = new Float64Array(channels);
  for (let i = 0; i < x.length; i++) sums[Math.floor(i / inner) % channels]! += x[i]!;
  return sums;
}
