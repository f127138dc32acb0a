/** Between logical order (PyTorch's NCHW) and memory order (channels last, see `physicalAxes`). */
import { type Shape, sizeOf } from "../shape.ts";

/** Whether the two orders are the same bytes. */
export function isPlain(shape: Shape): boolean {
  return shape.length <= 2 || shape[1] === 1 || sizeOf(shape.slice(2)) === 1;
}

/** `target[n][p][c] = source[n][c][p]` */
export function toPhysical(shape: Shape, source: ArrayLike<number>, target: NumericArray): void {
  if (isPlain(shape)) target.set(source);
  else transpose(shape[0]!, shape[1]!, sizeOf(shape.slice(2)), source, target);
}

/** `target[n][c][p] = source[n][p][c]` */
export function toLogical(shape: Shape, source: ArrayLike<number>, target: NumericArray): void {
  if (isPlain(shape)) target.set(source);
  else transpose(shape[0]!, sizeOf(shape.slice(2)), shape[1]!, source, target);
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
