/** A value's numbers, between callers' arrays in logical order and the bytes that a backend keeps them in. */
import type { Value } from "../graph/graph.ts";
import { sizeOf } from "../shape.ts";
import type { NumberArray } from "./backend.ts";
import { toLogical, toPhysical } from "./relayout.ts";

/** An array over the numbers of a value whose bytes begin at `offset`. */
export function arrayOver({ dtype, shape }: Value, memory: ArrayBufferLike, offset = 0): NumberArray {
  const length = sizeOf(shape);
  if (dtype === "f32") return new Float32Array(memory, offset, length);
  if (dtype === "i32") return new Int32Array(memory, offset, length);
  return new Uint8Array(memory, offset, length);
}

/** Throws where `data` does not have as many numbers as the value. */
export function expectCount({ name, shape }: Value, data: ArrayLike<number>): void {
  const count = sizeOf(shape);
  if (data.length !== count) throw new Error(`${name} holds ${count} numbers, not ${data.length}`);
}

/** Puts numbers in logical order into memory. Bytes are kept as they are given, see op image_batch. */
export function writeLogical({ dtype, shape }: Value, data: ArrayLike<number>, memory: NumberArray): void {
  if (dtype === "u8") memory.set(data);
  else toPhysical(shape, data, memory);
}

/** A copy of a value's numbers, in logical order. */
export function readLogical(value: Value, memory: ArrayBufferLike, offset = 0): NumberArray {
  const source = arrayOver(value, memory, offset);
  const target = new (source.constructor as new (length: number) => NumberArray)(source.length);
  if (value.dtype === "u8") target.set(source);
  else toLogical(value.shape, source, target);
  return target;
}
