/** How products are cut into tiles, and what a tile is multiplied from; gemm.ts is the kernel. */

/** How a tile is shared out. */
export interface Tile {
  /** Rows and columns of C that a workgroup makes, each a multiple of 32. */
  readonly m: number;
  readonly n: number;
  /** Rows and columns of C that an invocation makes, each a multiple of 4; so that invocations are a multiple of 8 × 4. */
  readonly rows: number;
  readonly columns: number;
}

/** Steps of K that are copied at once. */
export const DEPTH = 16;

export const TILES = {
  "128x128": { m: 128, n: 128, rows: 8, columns: 8 },
  "128x64": { m: 128, n: 64, rows: 8, columns: 8 },
  "64x128": { m: 64, n: 128, rows: 8, columns: 8 },
  "64x64": { m: 64, n: 64, rows: 8, columns: 4 },
  "64x32": { m: 64, n: 32, rows: 4, columns: 4 },
  "32x64": { m: 32, n: 64, rows: 4, columns: 4 },
  "32x32": { m: 32, n: 32, rows: 4, columns: 4 },
} as const satisfies Readonly<Record<string, Tile>>;

export type TileName = keyof typeof TILES;

/**
 * One side of a product. The code defines, for side a (b likewise), `a_place(i, group) → Place` of row (column) i, `a_step(k) → Step`,
 * `a_next(step) → Step`, and `a_at(place, step)`: the number there, or the vector that begins there, along K or along
 * rows (columns). What lies outside is 0.
 */
export interface Operand {
  readonly code: string;
  readonly along: "k" | "mn";
  /** Whether it is read as vectors; these begin at multiples of 4. */
  readonly four: boolean;
}

/** Bytes of a workgroup's memory that `count` strips of each side take. */
export function stripBytes({ m, n }: Tile, count: number): number {
  return count * 4 * DEPTH * (m + n);
}

/** 0 … count − 1. */
export const range = (count: number): number[] => Array.from({ length: count }, (_, i) => i);
