/** Moves of numbers on logical (row-major) arrays. */
import { type Shape, sizeOf } from "../../core/shape.ts";

export interface Logical {
  readonly shape: Shape;
  readonly data: ArrayLike<number>;
}

export function concat(parts: readonly Logical[], dim: number): number[] {
  const { shape } = parts[0]!;
  const outer = sizeOf(shape.slice(0, dim));
  const joined: number[] = [];
  for (let o = 0; o < outer; o++) {
    for (const { shape, data } of parts) {
      const width = sizeOf(shape.slice(dim));
      for (let i = 0; i < width; i++) joined.push(data[o * width + i]!);
    }
  }
  return joined;
}

export function slice({ shape, data }: Logical, dim: number, start: number, length: number): number[] {
  const outer = sizeOf(shape.slice(0, dim)), inner = sizeOf(shape.slice(dim + 1)), extent = shape[dim]!;
  const part: number[] = [];
  for (let o = 0; o < outer; o++) {
    for (let e = start; e < start + length; e++) {
      for (let i = 0; i < inner; i++) part.push(data[(o * extent + e) * inner + i]!);
    }
  }
  return part;
}

/** [N, C, …] to [N, …·C] */
export function flattenChannelsLast({ shape: [n, c, ...rest], data }: Logical): number[] {
  const places = sizeOf(rest);
  const out: number[] = [];
  for (let i = 0; i < n!; i++) {
    for (let place = 0; place < places; place++) {
      for (let channel = 0; channel < c!; channel++) out.push(data[(i * c! + channel) * places + place]!);
    }
  }
  return out;
}
