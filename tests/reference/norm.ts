/** Normalisations in float64, as plain loops over arrays in logical order [N, C, …]. */
import type { BatchNormAttrs, LocalResponseNormAttrs } from "../../core/ops/norm.ts";
import { type Shape, sizeOf } from "../../core/shape.ts";

type Numbers = ArrayLike<number>;

/** Indices of each channel's values. */
function channelIndices(shape: Shape): number[][] {
  const [batch, channels] = shape as [number, number];
  const places = sizeOf(shape.slice(2));
  return Array.from({ length: channels }, (_, c) => {
    const indices: number[] = [];
    for (let n = 0; n < batch; n++) {
      for (let place = 0; place < places; place++) indices.push((n * channels + c) * places + place);
    }
    return indices;
  });
}

export function batchNorm(
  shape: Shape,
  x: Numbers,
  weight: Numbers,
  bias: Numbers,
  runningMean: Numbers,
  runningVar: Numbers,
  { training, momentum, eps }: BatchNormAttrs,
) {
  const y = new Float64Array(x.length);
  const result = {
    y,
    mean: [] as number[],
    invstd: [] as number[],
    runningMean: [] as number[],
    runningVar: [] as number[],
  };
  channelIndices(shape).forEach((indices, c) => {
    let mean = runningMean[c]!;
    let variance = runningVar[c]!;
    if (training) {
      mean = indices.reduce((sum, i) => sum + x[i]!, 0) / indices.length;
      const squares = indices.reduce((sum, i) => sum + (x[i]! - mean) ** 2, 0);
      variance = squares / indices.length;
      result.runningMean.push((1 - momentum) * runningMean[c]! + momentum * mean);
      result.runningVar.push((1 - momentum) * runningVar[c]! + momentum * squares / (indices.length - 1));
    }
    const invstd = 1 / Math.sqrt(variance + eps);
    for (const i of indices) y[i] = (x[i]! - mean) * invstd * weight[c]! + bias[c]!;
    result.mean.push(mean);
    result.invstd.push(invstd);
  });
  return result;
}

export function batchNormGrad(
  shape: Shape,
  dy: Numbers,
  x: Numbers,
  weight: Numbers,
  mean: Numbers,
  invstd: Numbers,
  training: boolean,
) {
  const dx = new Float64Array(x.length);
  const result = { dx, dWeight: [] as number[], dBias: [] as number[] };
  channelIndices(shape).forEach((indices, c) => {
    const normalised = (i: number) => (x[i]! - mean[c]!) * invstd[c]!;
    const dBias = indices.reduce((sum, i) => sum + dy[i]!, 0);
    const dWeight = indices.reduce((sum, i) => sum + dy[i]! * normalised(i), 0);
    for (const i of indices) {
      const through = training ? (dBias + normalised(i) * dWeight) / indices.length : 0;
      dx[i] = weight[c]! * invstd[c]! * (dy[i]! - through);
    }
    result.dWeight.push(dWeight);
    result.dBias.push(dBias);
  });
  return result;
}

/** Calls `visit` for each element with its window: the indices of the neighbouring channels, cut at the ends. */
function eachWindow(shape: Shape, size: number, visit: (index: number, window: number[]) => void): void {
  const channels = shape[1]!;
  const places = sizeOf(shape.slice(2));
  for (let index = 0; index < sizeOf(shape); index++) {
    const c = Math.floor(index / places) % channels;
    const window: number[] = [];
    for (let other = c - Math.floor(size / 2); other <= c + Math.floor((size - 1) / 2); other++) {
      if (other >= 0 && other < channels) window.push(index + (other - c) * places);
    }
    visit(index, window);
  }
}

export function localResponseNorm(shape: Shape, x: Numbers, attrs: LocalResponseNormAttrs): Float64Array {
  const { size, alpha, beta, k } = attrs;
  const y = new Float64Array(x.length);
  eachWindow(shape, size, (i, window) => {
    const squares = window.reduce((sum, j) => sum + x[j]! ** 2, 0);
    y[i] = x[i]! * (k + alpha / size * squares) ** -beta;
  });
  return y;
}

/** Each output's gradient goes to all inputs of its window. */
export function localResponseNormGrad(
  shape: Shape,
  dy: Numbers,
  x: Numbers,
  { size, alpha, beta, k }: LocalResponseNormAttrs,
): Float64Array {
  const dx = new Float64Array(x.length);
  eachWindow(shape, size, (i, window) => {
    const t = k + alpha / size * window.reduce((sum, j) => sum + x[j]! ** 2, 0);
    dx[i]! += dy[i]! * t ** -beta;
    for (const j of window) dx[j]! -= dy[i]! * x[i]! * beta * t ** (-beta - 1) * alpha / size * 2 * x[j]!;
  });
  return dx;
}
