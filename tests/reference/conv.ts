/** Convolutions and linear layers in float64, as their definitions say, on arrays in logical order. */
import type { ConvAttrs } from "../../core/ops/conv.ts";
import type { Shape } from "../../core/shape.ts";

type Numbers = ArrayLike<number>;
type Extents4 = readonly [number, number, number, number];

/** Calls `visit` with flat indices of x, weight and y for every product in the convolution's sum. */
function eachProduct(
  x: Shape,
  weight: Shape,
  y: Shape,
  { stride, padding: [top, left], dilation, groups }: ConvAttrs,
  visit: (x: number, weight: number, y: number) => void,
): void {
  const [images, channels, height, width] = x as Extents4;
  const [out, perGroup, kernelHeight, kernelWidth] = weight as Extents4;
  const [, , rows, columns] = y as Extents4;
  for (let n = 0; n < images; n++) {
    for (let o = 0; o < out; o++) {
      const firstChannel = Math.floor(o / (out / groups)) * perGroup;
      for (let i = 0; i < rows; i++) {
        for (let j = 0; j < columns; j++) {
          for (let c = 0; c < perGroup; c++) {
            for (let r = 0; r < kernelHeight; r++) {
              const h = i * stride[0] + r * dilation[0] - top;
              if (h < 0 || h >= height) continue;
              for (let s = 0; s < kernelWidth; s++) {
                const w = j * stride[1] + s * dilation[1] - left;
                if (w < 0 || w >= width) continue;
                visit(
                  ((n * channels + firstChannel + c) * height + h) * width + w,
                  ((o * perGroup + c) * kernelHeight + r) * kernelWidth + s,
                  ((n * out + o) * rows + i) * columns + j,
                );
              }
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
  eachProduct(shapes.x, shapes.weight, shapes.y, shapes.attrs, (i, j, k) => y[k]! += x[i]! * weight[j]!);
  return y;
}

export function conv2dGradInput(shapes: ConvShapes, dy: Numbers, weight: Numbers): Float64Array {
  const dx = zeros(shapes.x);
  eachProduct(shapes.x, shapes.weight, shapes.y, shapes.attrs, (i, j, k) => dx[i]! += dy[k]! * weight[j]!);
  return dx;
}

export function conv2dGradWeight(shapes: ConvShapes, dy: Numbers, x: Numbers): Float64Array {
  const dw = zeros(shapes.weight);
  eachProduct(shapes.x, shapes.weight, shapes.y, shapes.attrs, (i, j, k) => dw[j]! += dy[k]! * x[i]!);
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
