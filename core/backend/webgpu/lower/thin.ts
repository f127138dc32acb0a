/** Products with a thin side: when, and the kernels. See wgsl/thin.ts. */
import { rowsOfGroups } from "../kernel.ts";
import { fewColumns, fewRows, THIN, THIN_LANES } from "../wgsl/thin.ts";
import type { Multiply } from "./gemm.ts";
import type { Lower } from "./lowering.ts";

/** Its name in choices. */
export const THIN_WAY = "thin";

/** The least rows, or steps of K where rows are few: fewer would leave most of a GPU idle. */
const LEAST = 16384;

/** Each invocation reads rows of A by itself: with more channels they are read from memory more than once. */
const MOST_CHANNELS = 16;

/** Whether a product of m rows and n columns is computed by `multiplyFewColumns`. */
export function takesFewColumns({ choice }: Lower, m: number, n: number, channels: number): boolean {
  return n <= THIN && (choice === undefined ? m >= LEAST && channels <= MOST_CHANNELS : choice === THIN_WAY);
}

/** Whether a product of m rows and k steps is computed by `multiplyFewRows`. */
export function takesFewRows({ choice }: Lower, m: number, k: number): boolean {
  return m <= THIN && (choice === undefined ? k >= LEAST : choice === THIN_WAY);
}

export type MultiplyThin = Omit<Multiply, "cut">;

export function multiplyFewColumns(
  lower: Lower,
  { kernel, a, b, buffers, numbers, store, ...extents }: MultiplyThin,
): void {
  const { m, n, groups } = extents, each = rowsEach(m);
  lower.add({
    kernel,
    code: fewColumns(n, each, a, b, store),
    buffers,
    numbers: { ...extents, ...numbers },
    groups: [...rowsOfGroups(Math.ceil(m / THIN_LANES / each)), groups],
  });
}

/** Rows of an invocation: each number of B that it reads serves for all, but there must be enough workgroups. */
function rowsEach(m: number): 1 | 2 | 4 {
  const most = m / (512 * THIN_LANES);
  return most >= 4 ? 4 : most >= 2 ? 2 : 1;
}

/** Workgroups that keep a large GPU busy; and the least steps of an invocation, against which adding up does not count. */
const ENOUGH = 2048, LEAST_STEPS = 32;

interface Runs {
  /** Workgroups that share the columns, and how many fours of columns each has. */
  readonly blocks: number;
  readonly fours: number;
  /** How many invocations of a workgroup have the same columns. */
  readonly runs: number;
  /** Steps of an invocation. */
  readonly run: number;
  readonly slices: number;
}

/** How a product of n columns and k steps is shared out: by shape alone, since it decides the bits. */
export function runsFor(n: number, k: number): Runs {
  const all = Math.ceil(n / 4), blocks = Math.ceil(all / (THIN_LANES / 2));
  const fours = Math.ceil(all / blocks), runs = Math.floor(THIN_LANES / fours);
  const run = Math.max(LEAST_STEPS, 2 * Math.ceil(k * blocks / (runs * ENOUGH) / 2));
  return { blocks, fours, runs, run, slices: Math.ceil(k / (runs * run)) };
}

/** `store` takes the parts of as many slices as `runsFor` says. */
export function multiplyFewRows(
  lower: Lower,
  { kernel, a, b, buffers, numbers, store, ...extents }: MultiplyThin,
): void {
  const { m, n, k, groups } = extents;
  const { blocks, slices, fours, runs, run } = runsFor(n, k);
  lower.add({
    kernel,
    code: fewRows(m, a, b, store),
    buffers,
    numbers: { ...extents, fours, runs, run, ...numbers },
    groups: [blocks, slices, groups],
  });
}
