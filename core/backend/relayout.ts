/** Between logical order (PyTorch's NCHW) and memory order (channels last, see memory_order.ts). */
import type { Shape } from "../shape.ts";
import { matricesOf } from "./memory_order.ts";

/** Whether the two orders are the same bytes. */
export function isPlain(shape: Shape): boolean {
  return matricesOf(shape) === undefined;
}

/** `target[n][p][c] = source[n][c][p]` */
export function toPhysical(shape: Shape, source: ArrayLike<number>, target: NumericArray): void {
  const matrices = matricesOf(shape);
  if (matrices) transpose(matrices.batch, matrices.channels, matrices.places, source, target);
  else target.set(source);
}

/** `target[n][c][p] = source[n][p][c]` */
export function toLogical(shape: Shape, source: ArrayLike<number>, target: NumericArray): void {
  const matrices = matricesOf(shape);
  if (matrices) transpose(matrices.batch, matrices.places, matrices.channels, source, target);
  else target.set(source);
}

interface NumericArray {
  [index: number]: number;
  set(source: ArrayLike<number>): void;
}

/** `batch` matrices of `rows × columns`, each transposed. */
function transpose(
  batch: number,
  rows: number,
  columns: number,
  source: ArrayLike<number>,
  target: NumericArray,
): void {
  for (let matrix = 0; matrix < batch; matrix++) {
    const base = matrix * rows * columns;
    for (let row = 0; row < rows; row++) {
      for (let column = 0; column < columns; column++) {
        target[base + column * rows + row] = source[base + row * columns + column]!;
      }
    }
  }
}
