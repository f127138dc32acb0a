/** Products: the kernels that follow from how they are cut. */
import type { Value } from "../../../graph/graph.ts";
import { type Bound, type Constant, groupsFor, reads, rowsOfGroups, writes } from "../kernel.ts";
import { elements } from "../wgsl/elements.ts";
import { numbersOf } from "../wgsl/formula.ts";
import { product, sumSlices } from "../wgsl/gemm.ts";
import { type Operand, stripBytes, type Strips, TILES } from "../wgsl/tiles.ts";
import { type Cut, type Extents, sliceOf } from "./cut.ts";
import type { Finish } from "./epilogue.ts";
import { GRADIENT_SCALE } from "../half.ts";
import type { Lower } from "./lowering.ts";

export interface Multiply extends Omit<Extents, "splits"> {
  readonly kernel: string;
  readonly a: Operand;
  readonly b: Operand;
  readonly buffers: Readonly<Record<string, Bound>>;
  readonly numbers: Readonly<Record<string, Constant>>;
  readonly cut: Cut;
  /** Whether A is a gradient, which may be small. */
  readonly ofGradient: boolean;
  /** Writes results, or parts where there are slices. */
  readonly store: string;
}

/** Adds the product's kernel. */
export function multiply(
  lower: Lower,
  { kernel, a, b, buffers, numbers, cut, store, ofGradient, ...extents }: Multiply,
) {
  const { m, n, k, groups } = extents, tile = TILES[cut.tile];
  const strips: Strips = lower.half
    ? { element: "f16", scale: ofGradient ? GRADIENT_SCALE : 1 }
    : { element: "f32" };
  const kept = stripBytes(tile, strips, 2) <= lower.workgroupBytes ? 2 : 1;
  const across = Math.ceil(n / tile.n), tiles = Math.ceil(m / tile.m) * across;
  lower.add({
    kernel,
    code: product({ tile, a, b, store, strips, kept }),
    buffers,
    numbers: { m, n, k, groups, slice: sliceOf(k, cut.slices), tiles, tiles_across: across, ...numbers },
    groups: [...rowsOfGroups(tiles), groups * cut.slices],
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
