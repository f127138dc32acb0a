/** Products with a thin side: when, and the kernels. See wgsl/thin.ts. */
import { rowsOfGroups } from "../kernel.ts";
import { fewColumns, fewRows, ROWS_EACH, THIN, THIN_LANES } from "../wgsl/thin.ts";
import type { Multiply } from "./gemm.ts";
import type { Lower } from "./lowering.ts";

/** Fewer rows, or steps where rows are few, than this leave most of a GPU idle. */
const LEAST = 4096;

/** Each invocation reads rows of A by itself: with more channels than this they are read from memory more than once. */
const MOST_CHANNELS = 32;

/** Whether a product of m rows and n columns is computed by `multiplyFewColumns`. */
export function hasFewColumns(m: number, n: number, channels: number): boolean {
  return n <= THIN && m >= LEAST && channels <= MOST_CHANNELS;
}

/** Whether a product of m rows and k steps is computed by `multiplyFewRows`. */
export function hasFewRows(m: number, k: number): boolean {
  return m <= THIN && k >= LEAST;
}

export type MultiplyThin = Omit<Multiply, "cut" | "ofGradient">;

export function multiplyFewColumns(
  lower: Lower,
  { kernel, a, b, buffers, numbers, store, ...extents }: MultiplyThin,
): void {
  const { m, n, groups } = extents;
  lower.add({
    kernel,
    code: fewColumns(n, a, b, store),
    buffers,
    numbers: { ...extents, ...numbers },
    groups: [...rowsOfGroups(Math.ceil(m / THIN_LANES / ROWS_EACH)), groups],
  });
}

/** Workgroups that keep a large GPU busy; and the least steps of an invocation, against which adding up does not count. */
const ENOUGH = 512, LEAST_STEPS = 32;

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
  const run = Math.max(LEAST_STEPS, Math.ceil(k * blocks / (runs * ENOUGH)));
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
