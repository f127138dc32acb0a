/** The product over a gathered image: every output pixel is a row, of the taps and channels that it sees. */
import type { Value } from "../../../graph/graph.ts";
import type { ConvAttrs } from "../../../ops/conv.ts";
import { forwardTaps, type Tap } from "../../taps.ts";
import { type Bound, reads, writes } from "../kernel.ts";
import * as operands from "../wgsl/operands.ts";
import type { Finish } from "./epilogue.ts";
import { addSlices, multiply } from "./gemm.ts";
import type { Lower } from "./lowering.ts";
import { multiplyFewColumns, type MultiplyThin, takesFewColumns } from "./thin.ts";
import { widthFor } from "./width.ts";

export type Extents4 = readonly [number, number, number, number];

/** N, C, H, W or O, I, kH, kW; of a matrix, with one pixel. */
export function extents(value: Value | undefined): Extents4 {
  const [a, b, c = 1, d = 1] = value!.shape as [number, number, number?, number?];
  return [a, b, c, d];
}

/** A strided walk of taps over images. */
export interface Walk {
  /** N, C, H, W of what is read. */
  readonly image: Extents4;
  /** Channels of a group. */
  readonly channels: number;
  /** Outputs an image. */
  readonly rows: number;
  readonly columns: number;
  readonly stride: readonly [number, number];
  readonly taps: readonly Tap[];
}

export function walkOf(attrs: ConvAttrs, image: Extents4, weight: Extents4, y: Extents4): Walk {
  const [, channels, height, width] = weight, { stride } = attrs;
  const taps = forwardTaps(attrs, [height, width]);
  return { image, channels, rows: y[2], columns: y[3], stride, taps };
}

/** Whether output pixels are the image's, one by one: then its rows need not be gathered. */
function isMatrix({ image: [, , height, width], rows, columns, stride, taps }: Walk): boolean {
  const [tap] = taps;
  return taps.length === 1 && tap!.dy === 0 && tap!.dx === 0 && stride[0] === 1 && stride[1] === 1 &&
    rows === height && columns === width;
}

export function walkNumbers({ image: [, pitch, height, width], channels, rows, columns, stride }: Walk) {
  return { pitch, channels, height, width, rows, columns, stride_y: stride[0], stride_x: stride[1] };
}

export const tapTable = (taps: readonly Tap[]): Bound =>
  reads({ words: taps.length > 0 ? taps.flatMap(({ dy, dx, place }) => [dy, dx, place]) : [0, 0, 0] }, "i32");

interface Filter {
  readonly value: Value;
  /** How far apart in memory the filters of groups, the product's columns, taps and channels lie. */
  readonly pitches: {
    readonly w_group: number;
    readonly w_column: number;
    readonly w_tap: number;
    readonly w_channel: number;
  };
}

/** Where outputs lie. */
interface Target {
  readonly value: Value;
  readonly out_start: number;
  readonly out_image: number;
  readonly out_row: number;
  readonly out_column: number;
}

export interface Convolve {
  readonly kernel: string;
  readonly x: Value;
  readonly walk: Walk;
  readonly filter: Filter;
  readonly target: Target;
  readonly groups: number;
  /** Columns of a group. */
  readonly columns: number;
  /** Whether the outputs are all of the target, in order. */
  readonly whole: boolean;
  readonly finish: (width: "f32" | "vec4f") => Finish;
}

/** Adds the kernels of a gathered product. */
export function convolve(
  lower: Lower,
  { kernel, x, walk, filter, target, groups, columns, whole, finish }: Convolve,
) {
  const [images, pitch] = walk.image;
  const m = images * walk.rows * walk.columns, k = walk.taps.length * walk.channels;
  const thin = takesFewColumns(lower, m, columns, walk.channels);
  const cut = thin ? undefined : lower.cut({ m, n: columns, k, groups, splits: whole });
  const four = { x: widthFor(pitch, walk.channels), y: widthFor(columns) };
  const along = filter.pitches.w_channel === 1 ? "k" : "mn";
  const fourFilters = !thin &&
    widthFor(...Object.values(filter.pitches).filter((pitch) => pitch !== 1)) === "vec4f" &&
    (along === "k" ? walk.channels : columns) % 4 === 0;
  const reading = { four: four.x === "vec4f" };
  const done = finish(four.y);
  const slices = cut?.slices ?? 1;
  const parts = slices > 1 ? lower.scratch(4 * slices * m * groups * columns) : undefined;
  const storing = { four: four.y === "vec4f" };
  const { value: y, ...places } = target;
  const product: MultiplyThin = {
    kernel,
    ...{ m, n: columns, k, groups },
    a: isMatrix(walk) ? operands.rowsOperand(reading) : operands.gatheredOperand(reading),
    b: operands.filterOperand({ four: fourFilters, along, whole: walk.channels % 4 === 0 }),
    store: parts ? operands.storeParts(storing) : done.code + operands.storePixels(storing),
    buffers: {
      x: reads(x, four.x),
      w: reads(filter.value, fourFilters ? "vec4f" : "f32"),
      taps: tapTable(walk.taps),
      ...(parts ? { parts: writes(parts, four.y) } : { y: writes(y, four.y), ...done.buffers }),
    },
    numbers: {
      ...walkNumbers(walk),
      ...filter.pitches,
      ...(parts ? {} : { ...places, ...done.numbers }),
    },
  };
  if (cut) multiply(lower, { ...product, cut });
  else multiplyFewColumns(lower, product);
  if (!parts) return;
  const all = { slices, count: m * groups * columns, channels: groups * columns, width: four.y };
  addSlices(lower, parts, y, all, done);
}
