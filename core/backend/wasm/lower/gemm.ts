/** Matrix products for convolutions and linear layers: how they are described to the kernels and shared among threads. */
import type { Word } from "../../../program/program.ts";
import { type Gather, geometry, inOneLine, isDense, lengthOf } from "./gather.ts";
import type { Lower } from "./lowering.ts";

/** The kernels' own limits: those of assembly/gemm_limits.ts, as a test makes sure. */
export const TILE_ROWS = 6;
export const PITCH = 304;
export const DEPTH = 288;
export const EDGE_BYTES = 512;

export function roundUp(value: number, unit: number): number {
  return Math.ceil(value / unit) * unit;
}

/** Cuts `extent` into equal pieces: the least multiple of `unit` for as few pieces as `limit` (itself a multiple) allows. */
export function evenly(extent: number, limit: number, unit: number): number {
  return roundUp(extent / Math.ceil(extent / limit), unit);
}

/** Scratch that each thread has a part of. */
interface PerThread {
  readonly scratch: Word;
  readonly bytes: number;
}

export function perThread(lower: Lower, bytes: number): PerThread {
  const own = roundUp(bytes, 64);
  return { scratch: { scratch: lower.scratch(own * lower.threads) }, bytes: own };
}

/** Floats between neighbours of each kind in the weights; those of columns or those of channels are 1 apart. */
export interface WeightPitches {
  readonly group: number;
  readonly column: number;
  readonly tap: number;
  readonly channel: number;
}

/**
 * How many groups to multiply together, as blocks on the diagonal of one matrix: as many as fit into a wide tile, since
 * multiplying by zeros is cheaper than a tile with one column in use. The same for both tiles, so that both give the
 * same bits. (What is not finite in one group then spreads to those beside it, since 0 · ∞ is not 0.)
 */
function mergeable(groups: number, columns: number): number {
  let merged = 1;
  for (let count = 2; count * columns <= 16; count++) if (groups % count === 0) merged = count;
  return merged;
}

export interface Product {
  readonly x: Word;
  readonly weight: Word;
  /** 0 for none. */
  readonly bias: Word;
  readonly y: Word;
  readonly images: number;
  readonly groups: number;
  /** Output channels of a group. */
  readonly columns: number;
  readonly gather: Gather;
  readonly weightPitches: WeightPitches;
  /** Floats from image to image, from grid row to grid row, from grid column to grid column of y. */
  readonly outputPitches: readonly [number, number, number];
  /** See lower/epilogue.ts; 0 for none. */
  readonly epilogue: Word;
}

/** Rows of A at a time: they stay in the second-level cache. */
const BLOCK_ROWS = 96;

/** Up to this many rows each task packs its own weights: packing them for all would take longer. */
const FEW_ROWS = 576;

/** Most columns of weights that a task packs for itself: a block of K of them fits into the second-level cache. */
const MOST_OWN_COLUMNS = 256;

/** Least columns of a task whose rows are gathered, and of one that reads them in place. */
const LEAST_GATHERED = 64;
const LEAST_IN_PLACE = 32;

/** y = gather(x) · weights + bias, then the epilogue. */
export function multiplyGathered(lower: Lower, product: Product): void {
  const { x, weight, bias, y, images, weightPitches: pitches, outputPitches, epilogue } = product;
  const merged = mergeable(product.groups, product.columns);
  const groups = product.groups / merged, columns = product.columns * merged;
  const gather = { ...product.gather, channels: product.gather.channels * merged };
  const { tile, threads } = lower;
  const m = images * gather.rows * gather.columns, k = lengthOf(gather);
  const table: Word = {
    table: [
      ...[pitches.group, pitches.column, pitches.tap, pitches.channel],
      ...[product.columns, product.gather.channels, merged, gather.taps.length],
      ...gather.taps.map(({ place }) => place),
    ],
  };
  const few = m <= FEW_ROWS, linePitch = isDense(gather) ? gather.pitch : 0;
  const blockRows = evenly(m, BLOCK_ROWS, TILE_ROWS), taskRows = few ? roundUp(m, TILE_ROWS) : blockRows;
  const rowBlocks = Math.ceil(m / taskRows) * groups;
  // Enough tasks for all threads, but none so narrow that gathering its rows would take longer than multiplying them.
  const least = linePitch ? LEAST_IN_PLACE : LEAST_GATHERED;
  const columnBlocks = Math.min(Math.ceil(4 * threads / rowBlocks), Math.ceil(columns / least));
  const taskColumns = Math.min(roundUp(columns / columnBlocks, tile), few ? MOST_OWN_COLUMNS : Infinity);
  const ownPanels = few ? DEPTH * taskColumns * 4 : 0;
  const own = perThread(lower, blockRows * PITCH * 4 + taskRows * 16 + EDGE_BYTES + ownPanels);
  const counts = [tile, groups, m, columns, k];
  const task = [taskRows, taskColumns, blockRows, own.scratch, own.bytes];
  let b: Word[] = [weight, table];
  if (!few) {
    const panels = { scratch: lower.scratch(Math.max(groups * roundUp(columns, tile) * k * 4, 64)) };
    // Weights are read along their contiguous side.
    const part = pitches.column === 1 ? [64, 512] : [512, 64];
    if (k > 0) lower.call("packPanels", weight, panels, table, tile, groups, columns, k, ...part);
    b = [panels, 0];
  }
  const shape = [geometry(gather), ...counts, ...outputPitches];
  lower.call("gemm", x, ...b, bias, y, ...shape, ...task, epilogue, linePitch);
}

export interface WeightProduct {
  readonly dy: Word;
  readonly x: Word;
  readonly dw: Word;
  readonly images: number;
  readonly groups: number;
  /** Output channels of a group. */
  readonly rows: number;
  /** The gather of the forward pass. */
  readonly gather: Gather;
  /** kH · kW: with those that `gather` does without. */
  readonly taps: number;
}

const WEIGHT_TASK_ROWS = 192;
const WEIGHT_TASK_COLUMNS = 256;

/** Tasks that a weight gradient should fall into, and the least pixels that are worth a chunk of their own. */
const WEIGHT_TASKS = 48;
const LEAST_CHUNK = 2 * DEPTH;

/** dw = dyᵀ · gather(x), where few but long sums are cut into chunks, which are added in order. */
export function multiplyTransposed(lower: Lower, product: WeightProduct): void {
  const { dy, x, dw, images, taps } = product;
  const merged = mergeable(product.groups, product.rows), channels = product.gather.channels;
  const groups = product.groups / merged, rows = product.rows * merged;
  const gather = inOneLine({ ...product.gather, channels: channels * merged }, images);
  const pixels = images * product.gather.rows * product.gather.columns, columns = lengthOf(gather);
  if (columns === 0) return lower.call("fill", dw, groups * rows * taps * channels, 0);
  const taskRows = evenly(rows, WEIGHT_TASK_ROWS, TILE_ROWS);
  const taskColumns = evenly(columns, WEIGHT_TASK_COLUMNS, lower.tile);
  // By shape alone, not by threads or tile, since it decides in which order numbers are added.
  const tasks = groups * Math.ceil(rows / WEIGHT_TASK_ROWS) * Math.ceil(columns / WEIGHT_TASK_COLUMNS);
  const wanted = Math.min(Math.ceil(WEIGHT_TASKS / tasks), Math.floor(pixels / LEAST_CHUNK));
  const chunk = Math.ceil(pixels / Math.max(wanted, 1)), chunks = Math.ceil(pixels / chunk);

  const whole = gather.taps.length === taps && merged === 1, direct = whole && chunks === 1;
  const out = direct ? dw : { scratch: lower.scratch(chunks * groups * rows * columns * 4) };
  const panelFloats = (DEPTH + 1) * taskColumns;
  const own = perThread(lower, taskRows * (PITCH + 1) * 4 + panelFloats * 4 + EDGE_BYTES);
  const counts = [lower.tile, groups, rows, columns, pixels, groups * rows, chunk];
  const task = [taskRows, taskColumns, own.scratch, own.bytes];
  lower.call("gemmWeight", dy, x, out, geometry(gather), ...counts, ...task);
  if (direct) return;
  const places = Array.from(
    { length: taps },
    (_, place) => gather.taps.findIndex((tap) => tap.place === place),
  );
  const parts: Word[] = whole
    ? [columns, 1, 1, 1, { table: [0] }]
    : [channels, merged, product.rows, taps, { table: places }];
  lower.call("sumChunks", out, dw, chunks, groups * rows, columns, ...parts);
}
