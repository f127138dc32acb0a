/**
 * Winograd's convolutions, F(m×m, 3×3): (m + 2)² multiplications where the direct way takes 9m², for rounding errors that are
 * larger than those of a plain sum. See assembly/winograd_lines.ts.
 */
import type { Word } from "../../../program/program.ts";
import {
  DEPTH,
  EDGE_BYTES,
  evenly,
  perThread,
  PITCH,
  roundUp,
  TILE_ROWS,
  type WeightPitches,
} from "./gemm.ts";
import type { Lower } from "./lowering.ts";
import type { Extents4 } from "./method.ts";

/** How outputs fall into tiles of m × m. */
export interface Tiling {
  readonly m: 2 | 4;
  readonly input: Extents4;
  readonly output: Extents4;
  /** Above and on the left. */
  readonly padding: readonly [number, number];
}

function tilesOf({ m, output: [, , height, width] }: Tiling): [number, number] {
  return [Math.ceil(height / m), Math.ceil(width / m)];
}

/** The words of assembly/winograd_image.ts. */
function geometry(tiling: Tiling): Word {
  const { input: [images, channels, height, width], output: [, columns, rows, across], padding } = tiling;
  return { table: [images, height, width, channels, ...padding, rows, across, columns, ...tilesOf(tiling)] };
}

/** Bytes of assembly/winograd_tiles.ts: the intermediate square, and a table. */
const TEMP_BYTES = 36 * 32;
const TABLE = 192;
const APART = 64;
const COLUMNS = 64;
const FILTER_STEPS = 16;

function words(count: number): number {
  return roundUp(4 * count, 64);
}

/** What a task's transformed tiles may take: they should stay in the second-level cache. */
const TASK_BYTES = 1 << 20;
/** Where fewer fit, they are transformed beforehand, for all tasks. */
const LEAST_ROWS = 48;
const MOST_ROWS = 96;

export interface WinogradProduct {
  readonly tiling: Tiling;
  readonly x: Word;
  readonly weight: Word;
  /** 0 for none. */
  readonly bias: Word;
  readonly y: Word;
  readonly weightPitches: Omit<WeightPitches, "group">;
  /** Whether the filters are turned by 180°. */
  readonly turned: boolean;
  /** See lower/epilogue.ts; 0 for none. */
  readonly epilogue: Word;
}

/** y = conv(x, weight) + bias */
export function convolve(lower: Lower, product: WinogradProduct): void {
  const { tile, threads } = lower, { tiling, x, weight, bias, y, weightPitches, turned, epilogue } = product;
  const { m, input: [images, channels], output: [, columns] } = tiling;
  const n = m + 2, places = n * n;
  const panels: Word = { scratch: lower.scratch(places * roundUp(columns, tile) * channels * 4) };
  const filters = perThread(lower, TEMP_BYTES + 2 * TABLE + 9 * FILTER_STEPS * tile * 4);
  const pitches = [weightPitches.column, weightPitches.channel, weightPitches.tap, turned ? 1 : 0];
  const filterCounts = [n, tile, columns, channels];
  lower.call("winogradFilters", weight, panels, ...filterCounts, ...pitches, filters.scratch, filters.bytes);

  const [down, across] = tilesOf(tiling), count = images * down * across;
  const depth = evenly(channels, DEPTH, 8), slots = places * Math.ceil(channels / depth);
  const slabs = Math.ceil(slots / Math.floor(DEPTH / depth));
  const fitting = Math.floor(TASK_BYTES / (4 * places * channels));
  const sharing = fitting < LEAST_ROWS && count > fitting;
  const rows = evenly(
    count,
    sharing ? MOST_ROWS : roundUp(Math.min(fitting, MOST_ROWS), TILE_ROWS),
    TILE_ROWS,
  );
  const rowBlocks = Math.ceil(count / rows);
  const columnBlocks = Math.min(Math.ceil(4 * threads / rowBlocks), Math.ceil(columns / COLUMNS));
  const taskColumns = roundUp(columns / columnBlocks, COLUMNS);
  const slabBytes = slabs * (rows * PITCH * 4 + APART);

  let shared: Word = 0;
  if (sharing) {
    shared = { scratch: lower.scratch(rowBlocks * slabBytes) };
    const own = perThread(lower, TEMP_BYTES + TABLE + words(channels) + words(slots));
    lower.call("winogradTiles", x, shared, geometry(tiling), n, depth, rows, own.scratch, own.bytes);
  }
  const own = perThread(
    lower,
    TEMP_BYTES + 2 * TABLE + words(slots) + words(rows) + EDGE_BYTES + words(channels) + words(columns) +
      places * (rows * COLUMNS * 4 + APART) + (sharing ? 0 : slabBytes),
  );
  const task = [n, tile, depth, rows, taskColumns, own.scratch, own.bytes];
  lower.call("winograd", x, panels, bias, y, geometry(tiling), ...task, epilogue, shared);
}

const GRAD_STEPS = 100;
const GRAD_PER_ROW = 3;
const GRAD_TOGETHER = 64;

/** The least tiles that are worth a chunk of their own. */
const LEAST_CHUNK = 192;

/** Sides of the blocks of a filter's gradient that come from one transformation: the larger, the fewer of these. */
const GRAD_BLOCKS = [256, 128, 64];

/** The block by which the sum over tiles is cut into chunks. */
const CHUNK_BLOCK = 128;
const GRAD_TASKS = 24;

/** dw, where `tiling` is the forward pass's. */
export function convolveGradFilter(lower: Lower, tiling: Tiling, dy: Word, x: Word, dw: Word): void {
  const { m, input: [images, channels], output: [, out] } = tiling, { tile } = lower;
  const n = m + 2, places = n * n, [down, across] = tilesOf(tiling), count = images * down * across;
  const blocksOf = (side: number) => Math.ceil(out / side) * Math.ceil(channels / side);
  // By shape alone, since it decides in which order numbers are added.
  const wanted = Math.min(
    Math.ceil(GRAD_TASKS / blocksOf(CHUNK_BLOCK)),
    Math.floor(count / LEAST_CHUNK),
  );
  const chunk = roundUp(Math.ceil(count / Math.max(wanted, 1)), 4), chunks = Math.ceil(count / chunk);
  const enough = (side: number) => chunks * blocksOf(side) >= lower.threads;
  const side = GRAD_BLOCKS.find(enough) ?? GRAD_BLOCKS.at(-1)!;
  const rows = evenly(out, side, 8), columns = evenly(channels, side, 16);
  const together = Math.min(channels, GRAD_TOGETHER);
  const parts: Word = {
    scratch: lower.scratch(chunks * places * (out * roundUp(channels, together) * 4 + APART)),
  };
  const aRows = roundUp(rows, TILE_ROWS);
  const own = perThread(
    lower,
    TEMP_BYTES + 7 * TABLE + words(aRows) + EDGE_BYTES + words(Math.max(channels, out)) + 4 * places * 32 +
      Math.ceil(places / GRAD_PER_ROW) * (aRows * PITCH * 4 + APART) +
      places * (Math.ceil(columns / tile) * GRAD_STEPS * tile * 4 + APART),
  );
  const task = [rows, columns, chunk, own.scratch, own.bytes];
  lower.call("winogradGradFilter", dy, x, parts, geometry(tiling), n, tile, ...task);
  const sums = perThread(lower, TEMP_BYTES + 2 * TABLE + places * 32);
  lower.call("winogradSumFilter", parts, dw, n, chunks, out, channels, sums.scratch, sums.bytes);
}
