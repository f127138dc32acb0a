import { type Shape, sizeOf } from "../shape.ts";
import type { Numbers } from "./dtype.ts";

/** Steps between neighbours along each axis of numbers in row-major order. */
export function rowMajorStrides(shape: Shape): number[] {
  return shape.map((_, axis) => sizeOf(shape.slice(axis + 1)));
}

/** Copies element (i, j, …) from place `offset + i · strides[0] + j · strides[1] + …`, in row-major order. */
export function gather<N extends Numbers>(
  numbers: N,
  shape: Shape,
  strides: readonly number[],
  offset = 0,
): N {
  const size = sizeOf(shape);
  // Strides of 0 repeat numbers, so there may be more elements than these.
  const data = new (numbers.constructor as new (length: number) => N)(size);
  const index = shape.map(() => 0);
  let from = offset;
  for (let i = 0; i < size; i++) {
    data[i] = numbers[from]!;
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      from += strides[axis]!;
      index[axis]! += 1;
      if (index[axis]! < shape[axis]!) break;
      from -= index[axis]! * strides[axis]!;
      index[axis] = 0;
    }
  }
  return data;
}
