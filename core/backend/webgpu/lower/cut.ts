/** How products are cut: into which tiles, and K into how many slices. By shape alone, or by what was measured to be fastest. */
import { DEPTH, type TileName, TILES } from "../wgsl/tiles.ts";

/** C [m × n] = A [m × k] · B [k × n], for each of `groups`. */
export interface Extents {
  readonly m: number;
  readonly n: number;
  readonly k: number;
  readonly groups: number;
  /** Whether K may be split. */
  readonly splits: boolean;
}

export interface Cut {
  readonly tile: TileName;
  readonly slices: number;
}

/** What a multiprocessor computes with tiles of a size, beside the largest in the same time: these load what they multiply least often. */
const WORTH: Readonly<Record<TileName, number>> = {
  "128x128": 1,
  "128x64": 0.92,
  "64x128": 0.92,
  "64x64": 0.75,
  "64x32": 0.5,
  "32x64": 0.5,
  "32x32": 0.45,
};

/**
 * The GPU that cuts are made for, since WebGPU does not tell what there is: a large one. A multiprocessor's multiply-adds in the time
 * in which the whole GPU moves a number to or from memory, and in which it starts a kernel.
 */
const MULTIPROCESSORS = 128;
export const NUMBER_COST = 0.3;
export const KERNEL_COST = 800_000;

/** What it costs that an invocation waits for a slice's sum, in the same unit. */
const SLICE_COST = 40_000;

/** What a workgroup's beginning and end cost, in steps of K. */
const ENDS = 48;

/** A slice of K has at least this many steps. */
const LEAST_SLICE = 128;

/** Slices cost memory: at most this many numbers. */
const MOST_PARTS = 1 << 26;

/** The ways to cut a product, the one that should be fastest first. */
export function cutsFor(extents: Extents): Cut[] {
  const { m, n, k, groups, splits } = extents;
  const most = splits ? Math.min(Math.floor(k / LEAST_SLICE), Math.floor(MOST_PARTS / (m * n * groups))) : 1;
  const cuts = (Object.keys(TILES) as TileName[]).flatMap((tile) => {
    const own: Cut[] = [{ tile, slices: 1 }];
    for (let slices = 2; slices <= most; slices *= 2) own.push({ tile, slices: filled(k, slices) });
    return own;
  });
  const timed = cuts.map((cut) => ({ cut, time: timeOf(extents, cut) }));
  return timed.sort((a, b) => a.time - b.time).map(({ cut }) => cut);
}

/** Multiply-adds that a multiprocessor would do in the time that the product should take. */
export function timeOf({ m, n, k, groups }: Extents, { tile, slices }: Cut): number {
  const { m: rows, n: columns } = TILES[tile];
  const workgroups = Math.ceil(m / rows) * Math.ceil(n / columns) * groups * slices;
  const each = rows * columns * (sliceOf(k, slices) + ENDS) / WORTH[tile];
  // The half stands for what the first and the last workgroup of a multiprocessor wait for: nothing hides that.
  const products = (Math.ceil(workgroups / MULTIPROCESSORS) + 0.5) * each;
  const sums = slices > 1
    ? (2 * slices + 1) * m * n * groups * NUMBER_COST + slices * SLICE_COST + KERNEL_COST
    : 0;
  return products + sums;
}

/** Steps of K in a slice: whole strips. */
export function sliceOf(k: number, slices: number): number {
  return Math.max(DEPTH, Math.ceil(k / slices / DEPTH) * DEPTH);
}

/** How many of the slices are not empty; at least one. */
function filled(k: number, slices: number): number {
  return Math.max(1, Math.ceil(k / sliceOf(k, slices)));
}

/** Such as `128x64/4`: what a choice is remembered as. */
export function nameOfCut({ tile, slices }: Cut): string {
  return `${tile}/${slices}`;
}

/** The cut of that name; undefined where there is none. */
export function cutNamed(name: string): Cut | undefined {
  const [tile = "", slices = ""] = name.split("/");
  return Object.hasOwn(TILES, tile) && /^[1-9]\d*$/.test(slices)
    ? { tile: tile as TileName, slices: Number(slices) }
    : undefined;
}

/** Raise it with any change to how kernels multiply, or to what memory holds: earlier measurements then no longer count. */
export const KERNELS = 2;

/** The named cut as far as a product can be cut so, or else the one that should be fastest. */
export function cutBy(name: string | undefined): (extents: Extents) => Cut {
  const chosen = name === undefined ? undefined : cutNamed(name);
  return (extents) => {
    if (!chosen) return cutsFor(extents)[0]!;
    return { tile: chosen.tile, slices: extents.splits ? filled(extents.k, chosen.slices) : 1 };
  };
}
