/** Ops that move numbers. */
import type { Value } from "../../../graph/graph.ts";
import type { Scratch } from "../../../program/program.ts";
import { sizeOf } from "../../../shape.ts";
import { around, type Matrices, matricesOf } from "../../memory_order.ts";
import { groupsFor, reads, writes } from "../kernel.ts";
import { elements } from "../wgsl/elements.ts";
import { copyRows, flip as flipped, SQUARE, transpose as transposed } from "../wgsl/layout.ts";
import { epilogueOf } from "./epilogue.ts";
import type { Lower, Lowering } from "./lowering.ts";

const concat: Lowering<"concat"> = (lower, { inputs, outputs: [y], attrs: { dim } }) => {
  const whole = around(y!.shape, dim), pitch = whole.extent * whole.inner;
  let start = 0;
  for (const value of inputs) {
    const width = around(value.shape, dim).extent * whole.inner, count = whole.outer * width;
    lower.add({
      kernel: "concat",
      code: copyRows(),
      buffers: { x: reads(value), y: writes(y) },
      numbers: { count, width, from_start: 0, from_pitch: width, to_start: start, to_pitch: pitch },
      groups: groupsFor(count),
    });
    start += width;
  }
};

const slice: Lowering<"slice"> = (lower, node) => {
  const { inputs: [x], outputs: [y], attrs: { dim, start, length } } = node;
  const { extent, inner } = around(x!.shape, dim);
  const width = length * inner, count = sizeOf(y!.shape);
  // Its epilogue has no normalisation, so the channel does not matter.
  const { code, buffers, numbers } = epilogueOf(lower, node, "f32");
  lower.add({
    kernel: "slice",
    code: copyRows("finish(read_x(source), i, 0u)", code),
    buffers: { x: reads(x), y: writes(y), ...buffers },
    numbers: {
      ...{
        count,
        width,
        from_start: start * inner,
        from_pitch: extent * inner,
        to_start: 0,
        to_pitch: width,
      },
      ...numbers,
    },
    groups: groupsFor(count),
  });
};

function transpose(
  lower: Lower,
  from: Value | Scratch,
  to: Value | Scratch,
  batch: number,
  rows: number,
  columns: number,
): void {
  lower.add({
    kernel: "transpose",
    code: transposed,
    buffers: { x: reads(from), y: writes(to) },
    numbers: { rows, columns },
    groups: [Math.ceil(columns / SQUARE), Math.ceil(rows / SQUARE), batch],
  });
}

/** Out of the order of the old shape and into that of the new one, where memory does not hold the logical order. */
const reshape: Lowering<"reshape"> = (lower, { inputs: [x], outputs: [y] }) => {
  const from = matricesOf(x!.shape), to = matricesOf(y!.shape);
  const same = from && to && from.batch === to.batch && from.channels === to.channels;
  if (same || (!from && !to)) return lower.alias(y!, x!);
  const logical = from && to ? lower.scratch(4 * sizeOf(x!.shape)) : undefined;
  const unpack = ({ batch, places, channels }: Matrices, target: Value | Scratch) =>
    transpose(lower, x!, target, batch, places, channels);
  if (from) unpack(from, logical ?? y!);
  if (to) transpose(lower, logical ?? x!, y!, to.batch, to.channels, to.places);
};

const flip: Lowering<"flip"> = (lower, { inputs: [x], outputs: [y] }) => {
  const { shape } = y!, count = sizeOf(shape);
  lower.add({
    kernel: "flip",
    code: elements(flipped),
    // Words, whatever they mean.
    buffers: { x: reads(x, "u32"), y: writes(y, "u32") },
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
