/** Sums over the rows of matrices, in two passes: blocks of rows, then the blocks. */
import type { Value } from "../../../graph/graph.ts";
import { type Shape, sizeOf } from "../../../shape.ts";
import { reads, writes } from "../kernel.ts";
import { numbersOf, type Width } from "../wgsl/formula.ts";
import { COLUMN_CHANNELS, columnRows, sumColumns } from "../wgsl/reduce.ts";
import type { Lower, Lowering } from "./lowering.ts";
import { widthFor } from "./width.ts";

export interface Blocks {
  readonly rows: number;
  readonly channels: number;
  /** Rows of a block, and how many blocks there are: by shape alone, since they decide the bits. */
  readonly block: number;
  readonly blocks: number;
}

/** Workgroups that keep a large GPU busy. */
const ENOUGH = 1024;

/** Each invocation adds at least this many rows. */
const LEAST_ROWS = 8;

/** An image or a matrix as rows × channels, and how its rows are cut into blocks. */
export function blocksOf(shape: Shape): Blocks {
  const channels = shape[1]!;
  return blocksFor(sizeOf(shape) / channels, channels, widthFor(channels));
}

/** The same for a matrix of `rows` rows and `channels` columns, read as vectors or one by one. */
export function blocksFor(rows: number, channels: number, width: Width): Blocks {
  const wanted = Math.ceil(ENOUGH / Math.ceil(channels / COLUMN_CHANNELS));
  const most = Math.ceil(rows / (LEAST_ROWS * columnRows(width)));
  const block = Math.ceil(rows / Math.min(wanted, most));
  return { rows, channels, block, blocks: Math.ceil(rows / block) };
}

/** Workgroups for the first pass, and for the second, which has one block. */
export function columnGroups(channels: number, blocks = 1): [number, number, number] {
  return [Math.ceil(channels / COLUMN_CHANNELS), blocks, 1];
}

/** sums[c] = Σ over the rows of x */
function sumRows(lower: Lower, x: Value | undefined, sums: Value | undefined): void {
  const { rows, channels, block, blocks } = blocksOf(x!.shape), { subgroups } = lower;
  const width = widthFor(channels), each = numbersOf(width);
  const parts = lower.scratch(4 * blocks * channels);
  const end = "write_parts(block * n.channels + channel, part.first);";
  lower.add({
    kernel: "sum_channels",
    code: sumColumns({ count: 1, add: "part.first += read_x(at);", end }, width, subgroups),
    buffers: { x: reads(x, width), parts: writes(parts, width) },
    numbers: { rows, channels: channels / each, block },
    groups: columnGroups(channels, blocks),
  });
  lower.add({
    kernel: "sum_blocks",
    code: sumColumns(
      { count: 1, add: "part.first += read_parts(at);", end: "write_y(channel, part.first);" },
      width,
      subgroups,
    ),
    buffers: { parts: reads(parts, width), y: writes(sums, width) },
    numbers: { rows: blocks, channels: channels / each, block: blocks },
    groups: columnGroups(channels),
  });
}

export const sum_channels: Lowering<"sum_channels"> = (lower, { inputs: [x], outputs: [y] }) =>
  sumRows(lower, x, y);
