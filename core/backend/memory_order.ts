/** How memory holds a shape, in all backends: channels (axis 1) last. See relayout.ts for the way there and back. */
import { type Shape, sizeOf } from "../shape.ts";

/**
 * The order in which memory holds a shape: channels (axis 1) last, so N, H, W, C for images and out, kH, kW, in for
 * convolution weights; up to two axes as they are. Returns the logical axes in physical order.
 */
export function physicalAxes(rank: number): number[] {
  if (rank <= 2) return Array.from({ length: rank }, (_, axis) => axis);
  return [0, ...Array.from({ length: rank - 2 }, (_, i) => i + 2), 1];
}

/** Splits physical memory around one logical axis: `outer × extent × inner` with the axis in the middle. */
export function around(shape: Shape, dim: number): { outer: number; extent: number; inner: number } {
  const order = physicalAxes(shape.length);
  const place = order.indexOf(dim);
  const extents = order.map((axis) => shape[axis] as number);
  return {
    outer: sizeOf(extents.slice(0, place)),
    extent: extents[place] as number,
    inner: sizeOf(extents.slice(place + 1)),
  };
}

/** Matrices one after the other. */
export interface Matrices {
  readonly batch: number;
  readonly channels: number;
  readonly places: number;
}

/** The matrices that memory holds transposed: channels × places to PyTorch, places × channels here. */
export function matricesOf(shape: Shape): Matrices | undefined {
  if (shape.length <= 2) return undefined;
  const [batch, channels, ...rest] = shape as [number, number, ...number[]];
  const places = sizeOf(rest);
  // Transposing a vector moves nothing.
  return channels === 1 || places === 1 ? undefined : { batch, channels, places };
}

/**
 * What has to be transposed for memory of the shape `from` to hold the same numbers, in logical order, as the shape `to`:
 * first the matrices of `from` into logical order, then this into those of `to`, where there are such. Undefined where
 * memory holds them already.
 */
export function reshaping(
  from: Shape,
  to: Shape,
): { readonly from: Matrices | undefined; readonly to: Matrices | undefined } | undefined {
  const before = matricesOf(from), after = matricesOf(to);
  const same = before && after && before.batch === after.batch && before.channels === after.channels;
  return same || (!before && !after) ? undefined : { from: before, to: after };
}
