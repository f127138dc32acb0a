/** The numbers that golden cases start from, made from their names, so that no input has to be stored. */
import { type Shape, sizeOf } from "../shape.ts";

/** FNV-1a, 32 bits, of the name's UTF-8 bytes. */
function fnv1a32(name: string): number {
  let hash = 0x811c9dc5;
  for (const byte of new TextEncoder().encode(name)) hash = Math.imul(hash ^ byte, 0x01000193);
  return hash >>> 0;
}

/** MurmurHash3's 32-bit finaliser. */
function finalise(x: number): number {
  x = Math.imul(x ^ (x >>> 16), 0x85ebca6b);
  x = Math.imul(x ^ (x >>> 13), 0xc2b2ae35);
  return (x ^ (x >>> 16)) >>> 0;
}

/** A function that gives number i of the array called `name`, in [0, 1). */
export function unit(name: string): (i: number) => number {
  const start = fnv1a32(name);
  return (i) => finalise(start + Math.imul(i, 0x9e3779b9)) / 2 ** 32;
}

/** Numbers in [−scale, scale), rounded to float32, in row-major order. */
export function signed(name: string, shape: Shape, scale: number): Float32Array {
  const number = unit(name);
  return fill(shape, (i) => (number(i) * 2 - 1) * scale);
}

/** The starting numbers of a state_dict's entry, by the last part of its name and its rank. */
export function parameter(name: string, shape: Shape): Float32Array {
  const kind = name.slice(name.lastIndexOf(".") + 1);
  if (kind === "num_batches_tracked") return fill(shape, () => 0);
  if (kind === "running_mean" || kind === "bias") return signed(name, shape, 0.1);
  if (kind === "running_var" || shape.length === 1) {
    const number = unit(name);
    return fill(shape, (i) => 0.5 + number(i));
  }
  return signed(name, shape, Math.sqrt(3 / sizeOf(shape.slice(1))));
}

/** Class of each sample: floor(unit · classes). */
export function labels(name: string, count: number, classes: number): Int32Array {
  const number = unit(name);
  return Int32Array.from({ length: count }, (_, i) => Math.floor(number(i) * classes));
}

function fill(shape: Shape, number: (i: number) => number): Float32Array {
  const array = new Float32Array(sizeOf(shape));
  for (let i = 0; i < array.length; i++) array[i] = number(i);
  return array;
}
