/** Sums over the rows of matrices, in two passes: blocks of rows, then the blocks. */
import type { Value } from "../../../graph/graph.ts";
import { type Shape, sizeOf } from "../../../shape.ts";
import { reads, writes } from "../kernel.ts";
import { COLUMN_CHANNELS, COLUMN_ROWS, sumColumns } from "../wgsl/reduce.ts";
import type { Lower, Lowering } from "./lowering.ts";

export interface Blocks {
  readonly rows: number;
  readonly channels: number;
  /** Rows of a block, and how many blocks there are: by shape alone, since they decide the bits. */
  readonly block: number;
  readonly blocks: number;
}

/** Workgroups that keep a large GPU busy. */
const ENOUGH = 1024;

/** Each invocation adds at least so many rows. */
const LEAST_ROWS = 8;

/** An image or a matrix as rows × channels, and how its rows are cut into blocks. */
export function blocksOf(shape: Shape): Blocks {
  const channels = shape[1]!;
  return blocksFor(sizeOf(shape) / channels, channels);
}

/** The same for a matrix of so many rows and columns. */
export function blocksFor(rows: number, channels: number): Blocks {
  const wanted = Math.ceil(ENOUGH / Math.ceil(channels / COLUMN_CHANNELS));
  const most = Math.ceil(rows / (LEAST_ROWS * COLUMN_ROWS));
  const block = Math.ceil(rows / Math.min(wanted, most));
  return { rows, channels, block, blocks: Math.ceil(rows / block) };
}

/** Workgroups for the first pass, and for the second, which has one block. */
export function columnGroups(channels: number, blocks = 1): [number, number, number] {
  return [Math.ceil(channels / COLUMN_CHANNELS), blocks, 1];
}

/** sums[c] = Σ over the rows of x */
export function sumRows(lower: Lower, x: Value | undefined, sums: Value | undefined): void {
  const { rows, channels, block, blocks } = blocksOf(x!.shape);
  const parts = lower.scratch(4 * blocks * channels);
  lower.add({
    kernel: "sum_channels",
    code: sumColumns({
      add: "sums.x += read_x(at);",
      end: "write_parts(block * n.channels + channel, sums.x);",
    }),
    buffers: { x: reads(x), parts: writes(parts) },
    numbers: { rows, channels, block },
    groups: columnGroups(channels, blocks),
  });
  lower.add({
    kernel: "sum_blocks",
    code: sumColumns({ add: "sums.x += read_parts(at);", end: "write_y(channel, sums.x);" }),
    buffers: { parts: reads(parts), y: writes(sums) },
    numbers: { rows: blocks, channels, block: blocks },
    groups: columnGroups(channels),
  });
}

export const sum_channels: Lowering<"sum_channels"> = (lower, { inputs: [x], outputs: [y] }) =>
  sumRows(lower, x, y);
