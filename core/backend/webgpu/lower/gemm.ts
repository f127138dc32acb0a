/** Products: the kernels that follow from how they are cut. */
import type { Value } from "../../../graph/graph.ts";
import { type Bound, type Constant, groupsFor, reads, rowsOfGroups, writes } from "../kernel.ts";
import { elements } from "../wgsl/elements.ts";
import { numbersOf } from "../wgsl/formula.ts";
import { product, sumSlices } from "../wgsl/gemm.ts";
import { type Operand, stripBytes, TILES } from "../wgsl/tiles.ts";
import { type Cut, type Extents, sliceOf } from "./cut.ts";
import { sumColumns } from "../wgsl/reduce.ts";
import { columnGroups } from "./columns.ts";
import { epilogueOf, type Finish } from "./epilogue.ts";
import type { Lower } from "./lowering.ts";

export interface Multiply extends Omit<Extents, "splits"> {
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
export function multiply(
  lower: Lower,
  { kernel, a, b, buffers, numbers, cut, store, ...extents }: Multiply,
) {
  const { m, n, k, groups } = extents, tile = TILES[cut.tile];
  const kept = stripBytes(tile, 2) <= lower.workgroupBytes ? 2 : 1;
  const across = Math.ceil(n / tile.n), tiles = Math.ceil(m / tile.m) * across;
  lower.add({
    kernel,
    code: product({ tile, a, b, store, kept }),
    buffers,
    numbers: { m, n, k, groups, slice: sliceOf(k, cut.slices), tiles, tiles_across: across, ...numbers },
    groups: [...rowsOfGroups(tiles), groups * cut.slices],
  });
}

/** Parts of a sum, slice by slice: `count` numbers each, whose channels are the innermost axis. */
interface Slices {
  readonly slices: number;
  readonly count: number;
  readonly channels: number;
  readonly width: "f32" | "vec4f";
}

/** Adds the slices' parts up, in order, and finishes the sums. */
export function addSlices(
  lower: Lower,
  parts: Bound["item"],
  y: Value,
  { slices, count, channels, width }: Slices,
  finish: Finish,
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

/** From this many slices on, several invocations share the slices of a number. */
const MANY = 16;

/** The same for sums without bias or epilogue. */
export function addPlainSlices(lower: Lower, parts: Bound["item"], y: Value, given: Slices): void {
  const { slices, count, width } = given;
  if (slices < MANY) {
    return addSlices(lower, parts, y, given, epilogueOf(lower, { inputs: [], attrs: {} }, width));
  }
  const end = "write_y(channel, part.first);";
  lower.add({
    kernel: "sum_slices",
    code: sumColumns({ count: 1, add: "part.first += read_parts(at);", end }, width, lower.subgroups),
    buffers: { parts: reads(parts, width), y: writes(y, width) },
    numbers: { rows: slices, channels: count / numbersOf(width), block: slices },
    groups: columnGroups(count),
  });
}
