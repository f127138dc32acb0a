/** Activations in float64, from their definitions. */
import { type Shape, sizeOf } from "../../core/shape.ts";

export const values = {
  relu: (x: number) => Math.max(x, 0),
  leaky_relu: (x: number, slope: number) => x > 0 ? x : slope * x,
  relu6: (x: number) => Math.min(Math.max(x, 0), 6),
  sigmoid: (x: number) => 1 / (1 + Math.exp(-x)),
  tanh: (x: number) => Math.tanh(x),
};

/** The gradient from dy and what the op saved: the output, for leaky ReLU the input. */
export const gradients = {
  relu: (dy: number, y: number) => y > 0 ? dy : 0,
  leaky_relu: (dy: number, x: number, slope: number) => x > 0 ? dy : slope * dy,
  relu6: (dy: number, y: number) => y > 0 && y < 6 ? dy : 0,
  sigmoid: (dy: number, y: number) => dy * y * (1 - y),
  tanh: (dy: number, y: number) => dy * (1 - y * y),
};

/** Applies `row` to every line of the arrays along `dim`, in logical order. */
function alongAxis(
  shape: Shape,
  dim: number,
  arrays: readonly ArrayLike<number>[],
  row: (...lines: number[][]) => number[],
): Float64Array {
  const extent = shape[dim]!, inner = sizeOf(shape.slice(dim + 1)), outer = sizeOf(shape.slice(0, dim));
  const result = new Float64Array(sizeOf(shape));
  for (let o = 0; o < outer; o++) {
    for (let i = 0; i < inner; i++) {
      const at = (e: number) => (o * extent + e) * inner + i;
      const lines = arrays.map((array) => Array.from({ length: extent }, (_, e) => array[at(e)]!));
      row(...lines).forEach((value, e) => result[at(e)] = value);
    }
  }
  return result;
}

function sum(line: readonly number[]): number {
  return line.reduce((total, value) => total + value, 0);
}

function logSum(line: readonly number[]): number {
  const most = Math.max(...line);
  return most + Math.log(sum(line.map((x) => Math.exp(x - most))));
}

export function softmax(shape: Shape, dim: number, x: ArrayLike<number>): Float64Array {
  return alongAxis(shape, dim, [x], (line) => {
    const total = logSum(line);
    return line.map((value) => Math.exp(value - total));
  });
}

export function logSoftmax(shape: Shape, dim: number, x: ArrayLike<number>): Float64Array {
  return alongAxis(shape, dim, [x], (line) => {
    const total = logSum(line);
    return line.map((value) => value - total);
  });
}

export function softmaxGrad(
  shape: Shape,
  dim: number,
  dy: ArrayLike<number>,
  y: ArrayLike<number>,
): Float64Array {
  return alongAxis(shape, dim, [dy, y], (dyLine = [], yLine = []) => {
    const dot = sum(dyLine.map((value, i) => value * yLine[i]!));
    return dyLine.map((value, i) => yLine[i]! * (value - dot));
  });
}

export function logSoftmaxGrad(
  shape: Shape,
  dim: number,
  dy: ArrayLike<number>,
  y: ArrayLike<number>,
): Float64Array {
  return alongAxis(shape, dim, [dy, y], (dyLine = [], yLine = []) => {
    const total = sum(dyLine);
    return dyLine.map((value, i) => value - Math.exp(yLine[i]!) * total);
  });
}
