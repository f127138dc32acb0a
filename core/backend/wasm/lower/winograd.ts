/**
 * Winograd's convolutions, F(m×m, 3×3): (m + 2)² multiplications where the direct way takes 9m², for rounding errors that are
 * larger than those of a plain sum. See assembly/winograd_lines.ts.
 */
import type { ConvAttrs } from "../../../ops/conv.ts";
import type { Word } from "../../../program/program.ts";
import type { Lower } from "./lowering.ts";
import { evenly, perThread, PITCH, roundUp, TILE_ROWS, EDGE_BYTES, DEPTH } from "./gemm.ts";

type Extents4 = readonly [number, number, number, number];

/** Side of the output tiles. */
export type Side = 2 | 4;

export interface Winograd {
  readonly m: Side;
  /** Of the images that the filter slides over, and of what it makes. */
  readonly input: Extents4;
  readonly output: Extents4;
  /** Above and on the left. */
  readonly padding: readonly [number, number];
}

/** Whether the convolution is one that Winograd's kernels can do at all. */
export function isWinograd({ stride, dilation, groups, padding }: ConvAttrs, weight: Extents4): boolean {
  const [out, channels, height, width] = weight;
  return height === 3 && width === 3 && groups === 1 && out % 8 === 0 && channels % 8 === 0 &&
    [...stride, ...dilation].every((value) => value === 1) && padding.every((value) => value <= 2);
}

function tilesOf({ m, output: [, , height, width] }: Winograd): [number, number] {
  return [Math.ceil(height / m), Math.ceil(width / m)];
}

/** The words of assembly/winograd_image.ts. */
function geometry(shape: Winograd): Word {
  const { input: [images, channels, height, width], output: [, columns, rows, across], padding } = shape;
  return { table: [images, height, width, channels, ...padding, rows, across, columns, ...tilesOf(shape)] };
}

/** Bytes of assembly/winograd_tiles.ts: a tile in between, and a table. */
const TABLE = 192;
const TEMP_BYTES = TABLE + 36 * 32;
const APART = 64;
const COLUMNS = 64;

function words(count: number): number {
  return roundUp(4 * count, 64);
}

/** What a task's transformed tiles may take: they should stay in the second-level cache. */
const TASK_BYTES = 1 << 21;
const LEAST_ROWS = 24;
const MOST_ROWS = 96;

/** y = conv(x, weight) + bias, where the weights have their columns, channels and taps so many floats apart. */
export function convolve(
  lower: Lower,
  shape: Winograd,
  { x, weight, bias, y }: Record<"x" | "weight" | "bias" | "y", Word>,
  pitches: { readonly column: number; readonly channel: number; readonly tap: number; readonly turned: boolean },
): void {
  const { tile, threads } = lower, { m, input: [images, channels], output: [, columns] } = shape;
  const n = m + 2, places = n * n;
  const panels: Word = { scratch: lower.scratch(places * roundUp(columns, tile) * channels * 4) };
  const filters = perThread(lower, TEMP_BYTES + 2 * TABLE + tile * places * 32);
  const { column, channel, tap, turned } = pitches;
  lower.call("winogradFilters", weight, panels, n, tile, columns, channels, column, channel, tap, turned ? 1 : 0, {
    scratch: filters.scratch,
  }, filters.bytes);

  const [down, across] = tilesOf(shape), count = images * down * across;
  const limit = Math.min(Math.max(Math.floor(((globalThis as any).TB ?? TASK_BYTES) / (4 * places * channels)), LEAST_ROWS), (globalThis as any).MR ?? MOST_ROWS);
  const rows = evenly(count, roundUp(limit, TILE_ROWS), TILE_ROWS), rowBlocks = Math.ceil(count / rows);
  const columnBlocks = Math.min(Math.ceil(4 * threads / rowBlocks), Math.ceil(columns / COLUMNS));
  const taskColumns = roundUp(Math.ceil(columns / columnBlocks), COLUMNS);

  const depth = evenly(channels, DEPTH, 8), blocks = Math.ceil(channels / depth);
  const slots = places * blocks, slabs = Math.ceil(slots / Math.floor(DEPTH / depth));
  const own = perThread(
    lower,
    TEMP_BYTES + 2 * TABLE + words(slots) + words(rows) + EDGE_BYTES + words(channels) + words(columns) +
      slabs * (rows * PITCH * 4 + APART) + places * (rows * COLUMNS * 4 + APART),
  );
  lower.call("winograd", x, panels, bias, y, geometry(shape), n, tile, depth, rows, taskColumns, { scratch: own.scratch }, own.bytes);
}

const GRAD_STEPS = 96;
const GRAD_PER_ROW = 3;
const GRAD_ROWS = 128;
const GRAD_COLUMNS = 128;
const GRAD_TASKS = 24;

/** dw, where `shape` is the forward pass's. */
export function convolveGradFilter(lower: Lower, shape: Winograd, dy: Word, x: Word, dw: Word): void {
  const { m, input: [images, channels], output: [, out] } = shape, { tile } = lower;
  const n = m + 2, places = n * n, [down, across] = tilesOf(shape), count = images * down * across;
  const rows = evenly(out, GRAD_ROWS, 8), columns = evenly(channels, GRAD_COLUMNS, 16);
  const tasks = Math.ceil(out / rows) * Math.ceil(channels / columns);
  // By shape alone, since it decides in which order numbers are added.
  const wanted = Math.max(Math.min(Math.ceil(GRAD_TASKS / tasks), Math.floor(count / (2 * GRAD_STEPS))), 1);
  const chunk = roundUp(Math.ceil(count / wanted), 4), chunks = Math.ceil(count / chunk);
  const parts: Word = { scratch: lower.scratch(chunks * places * out * channels * 4) };
  const aRows = roundUp(rows, TILE_ROWS);
  const own = perThread(
    lower,
    TEMP_BYTES + 4 * TABLE + words(aRows) + EDGE_BYTES + words(Math.max(channels, out)) + 4 * places * 32 +
      Math.ceil(places / GRAD_PER_ROW) * (aRows * PITCH * 4 + APART) +
      places * (Math.ceil(columns / tile) * GRAD_STEPS * tile * 4 + APART),
  );
  const task = [rows, columns, chunk, { scratch: own.scratch }, own.bytes];
  lower.call("winogradGradFilter", dy, x, parts, geometry(shape), n, tile, ...task);
  const sums = perThread(lower, TEMP_BYTES + 2 * TABLE + places * 32);
  lower.call("winogradSumFilter", parts, dw, n, chunks, out, channels, { scratch: sums.scratch }, sums.bytes);
}
