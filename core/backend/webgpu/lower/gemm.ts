/** Products: which tile, how many slices of K, and the kernels that follow from it. */
import type { Value } from "../../../graph/graph.ts";
import { type Bound, type Constant, groupsFor, reads, rowsOfGroups, writes } from "../kernel.ts";
import { elements } from "../wgsl/elements.ts";
import { DEPTH, type Operand, product, sumSlices, type Tile, TILES } from "../wgsl/gemm.ts";
import type { Finish } from "./epilogue.ts";
import type { Lower } from "./lowering.ts";
import { numbersOf } from "./width.ts";

export interface Extents {
  readonly m: number;
  readonly n: number;
  readonly k: number;
  readonly groups: number;
}

/** How a product is cut: by shape alone, since it decides in which order numbers are added. */
export interface Cut {
  readonly tile: Tile;
  readonly slices: number;
  /** Steps of K in a slice. */
  readonly slice: number;
}

/** What a tile of one size computes beside one of the largest, in the same time: it loads less often what it multiplies. */
const WORTH = { large: 1, medium: 0.7, small: 0.4 } as const;

/** Workgroups that keep a large GPU busy. */
const ENOUGH = 256;

/** A slice of K has at least so many steps: below, adding the slices costs more than it gains. */
const LEAST_SLICE = 256;

/** Slices cost memory. */
const MOST_PARTS = 1 << 26;

export function cutOf({ m, n, k, groups }: Extents, maySplit: boolean): Cut {
  const tilesOf = (tile: Tile) => Math.ceil(m / tile.m) * Math.ceil(n / tile.n) * groups;
  const cost = (name: keyof typeof TILES) =>
    tilesOf(TILES[name]) * TILES[name].m * TILES[name].n / WORTH[name];
  const names = Object.keys(TILES) as (keyof typeof TILES)[];
  const tile = TILES[names.reduce((best, name) => cost(name) < cost(best) ? name : best)];
  const wanted = maySplit
    ? Math.min(
      Math.ceil(ENOUGH / tilesOf(tile)),
      Math.floor(k / LEAST_SLICE),
      Math.floor(MOST_PARTS / (m * n * groups)),
    )
    : 1;
  const slice = Math.max(DEPTH, Math.ceil(k / Math.max(wanted, 1) / DEPTH) * DEPTH);
  return { tile, slice, slices: Math.max(1, Math.ceil(k / slice)) };
}

export interface Multiply extends Extents {
  readonly kernel: string;
  readonly a: Operand;
  readonly b: Operand;
  readonly buffers: Readonly<Record<string, Bound>>;
  readonly numbers: Readonly<Record<string, Constant>>;
  readonly cut: Cut;
  /** Writes results, or parts where there are slices. */
  readonly store: string;
}

/** Adds the product's kernel. */
export function multiply(lower: Lower, { kernel, a, b, buffers, numbers, cut, store, ...extents }: Multiply) {
  const { m, n, k, groups } = extents, { tile, slices, slice } = cut;
  const across = Math.ceil(n / tile.n), tiles = Math.ceil(m / tile.m) * across;
  lower.add({
    kernel,
    code: product({ tile, a, b, store }),
    buffers,
    numbers: { m, n, k, groups, slice, tiles, tiles_across: across, ...numbers },
    groups: [...rowsOfGroups(tiles), groups * slices],
  });
}

/** Adds the slices' parts up, in order, and finishes the sums. `count` numbers, whose channels are the innermost axis. */
export function addSlices(
  lower: Lower,
  parts: Bound["item"],
  y: Value,
  { slices, count, channels, finish, width }: {
    readonly slices: number;
    readonly count: number;
    readonly channels: number;
    readonly finish: Finish;
    readonly width: "f32" | "vec4f";
  },
): void {
  const each = numbersOf(width), { helpers, formula } = sumSlices(width);
  lower.add({
    kernel: "sum_slices",
    code: elements(formula, finish.code + helpers),
    buffers: { parts: reads(parts, width), y: writes(y, width), ...finish.buffers },
    numbers: { count: count / each, channels: channels / each, slices, ...finish.numbers },
    groups: groupsFor(count / each),
  });
}
