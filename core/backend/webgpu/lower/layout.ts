/** Ops that move numbers. */
import type { Value } from "../../../graph/graph.ts";
import type { Scratch } from "../../../program/program.ts";
import { sizeOf } from "../../../shape.ts";
import { around, type Matrices, reshaping } from "../../memory_order.ts";
import { groupsFor, reads, rowsOfGroups, writes } from "../kernel.ts";
import { elements } from "../wgsl/elements.ts";
import { numbersOf, type Width } from "../wgsl/formula.ts";
import { copyRows, flip as flipped, SQUARE, transpose as transposed } from "../wgsl/layout.ts";
import { epilogueOf, type Finish } from "./epilogue.ts";
import type { Lower, Lowering } from "./lowering.ts";
import { widthFor } from "./width.ts";

/** Where rows of numbers lie: the first of them, and how far apart they are. */
interface Rows {
  readonly start: number;
  readonly pitch: number;
}

interface Copy {
  readonly kernel: string;
  readonly x: Value;
  readonly y: Value;
  readonly rows: number;
  /** Numbers of a row. */
  readonly width: number;
  readonly from: Rows;
  readonly to: Rows;
}

/** Copies rows, four numbers at a time where everything is whole fours. `finished`: what is done to each, see `epilogueOf`. */
function copy(
  lower: Lower,
  { kernel, x, y, rows, width, from, to }: Copy,
  finished?: (width: Width) => Finish,
): void {
  const element = widthFor(width, from.start, from.pitch, to.start, to.pitch), each = numbersOf(element);
  const finish = finished?.(element), count = rows * width / each;
  lower.add({
    kernel,
    // Epilogues of copies have no normalisation, so the channel does not matter.
    code: finish ? copyRows("finish(read_x(source), i, 0u)", finish.code) : copyRows(),
    buffers: { x: reads(x, element), y: writes(y, element), ...finish?.buffers },
    numbers: {
      ...{ count, width: width / each },
      ...{ from_start: from.start / each, from_pitch: from.pitch / each },
      ...{ to_start: to.start / each, to_pitch: to.pitch / each },
      ...finish?.numbers,
    },
    groups: groupsFor(count),
  });
}

const concat: Lowering<"concat"> = (lower, { inputs, outputs: [y], attrs: { dim } }) => {
  const { outer: rows, extent, inner } = around(y!.shape, dim);
  let start = 0;
  for (const x of inputs) {
    const width = around(x.shape, dim).extent * inner;
    const from = { start: 0, pitch: width }, to = { start, pitch: extent * inner };
    copy(lower, { kernel: "concat", x, y: y!, rows, width, from, to });
    start += width;
  }
};

const slice: Lowering<"slice"> = (lower, node) => {
  const { inputs: [x], outputs: [y], attrs: { dim, start, length } } = node;
  const { outer: rows, extent, inner } = around(x!.shape, dim), width = length * inner;
  const from = { start: start * inner, pitch: extent * inner }, to = { start: 0, pitch: width };
  const copied = { kernel: "slice", x: x!, y: y!, rows, width, from, to };
  copy(lower, copied, (element) => epilogueOf(lower, node, element));
};

function transpose(
  lower: Lower,
  from: Value | Scratch,
  to: Value | Scratch,
  batch: number,
  rows: number,
  columns: number,
): void {
  const across = Math.ceil(columns / SQUARE);
  lower.add({
    kernel: "transpose",
    code: transposed,
    buffers: { x: reads(from), y: writes(to) },
    numbers: { rows, columns, across },
    groups: [...rowsOfGroups(across * Math.ceil(rows / SQUARE)), batch],
  });
}

/** Out of the order of the old shape and into that of the new one, where memory does not hold the logical order. */
const reshape: Lowering<"reshape"> = (lower, { inputs: [x], outputs: [y] }) => {
  const transposed = reshaping(x!.shape, y!.shape);
  if (!transposed) return lower.alias(y!, x!);
  const { from, to } = transposed;
  const logical = from && to ? lower.scratch(4 * sizeOf(x!.shape)) : undefined;
  const unpack = ({ batch, places, channels }: Matrices, target: Value | Scratch) =>
    transpose(lower, x!, target, batch, places, channels);
  if (from) unpack(from, logical ?? y!);
  if (to) transpose(lower, logical ?? x!, y!, to.batch, to.channels, to.places);
};

const flip: Lowering<"flip"> = (lower, { inputs: [x], outputs: [y] }) => {
  const { shape, dtype } = y!, count = sizeOf(shape), element = dtype === "f32" ? "f32" : "i32";
  lower.add({
    kernel: "flip",
    code: elements(flipped),
    buffers: { x: reads(x, element), y: writes(y, element) },
    numbers: { count, rows: shape[0]!, width: sizeOf(shape.slice(1)) },
    groups: groupsFor(count),
  });
};

/** Memory has the channels last already. */
const same: Lowering<"flatten_channels_last" | "unflatten_channels_last"> = (
  lower,
  { inputs: [x], outputs: [y] },
) => lower.alias(y!, x!);

export const layoutLowerings = {
  concat,
  slice,
  reshape,
  flip,
  flatten_channels_last: same,
  unflatten_channels_last: same,
};
