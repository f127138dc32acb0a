/** Shapes are logical, in PyTorch's order (N, C, H, W); how a backend stores them is its own business. */
export type Shape = readonly number[];

/** Number of elements; 1 for a scalar's shape `[]`. */
export function sizeOf(shape: Shape): number {
  return shape.reduce((product, extent) => product * extent, 1);
}

/** `[1, 3, 224, 224]` */
export function formatShape(shape: Shape): string {
  return `[${shape.join(", ")}]`;
}

/** Whether two shapes have the same extents. */
export function sameShape(a: Shape, b: Shape): boolean {
  return a.length === b.length && a.every((extent, axis) => extent === b[axis]);
}

/** The shape with the axes `start` … `end` as one. */
export function joinAxes(shape: Shape, start: number, end: number): Shape {
  return [...shape.slice(0, start), sizeOf(shape.slice(start, end + 1)), ...shape.slice(end + 1)];
}

/** One number for both axes, or `[height, width]`. */
export type Pair = number | readonly [number, number];

/** One number for all sides, `[height, width]`, or `[top, left, bottom, right]`. */
export type Padding = number | readonly [number, number] | readonly [number, number, number, number];

/** `[height, width]` */
export function pair(value: Pair): [number, number] {
  return typeof value === "number" ? [value, value] : [value[0], value[1]];
}

/** `[top, left, bottom, right]` */
export function sides(padding: Padding): [number, number, number, number] {
  if (typeof padding === "number") return [padding, padding, padding, padding];
  if (padding.length === 2) return [padding[0], padding[1], padding[0], padding[1]];
  return [...padding];
}
