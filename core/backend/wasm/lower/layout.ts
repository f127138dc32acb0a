import type { Word } from "../../../program/program.ts";
import { sizeOf } from "../../../shape.ts";
import { around, reshaping } from "../../memory_order.ts";
import { epilogueOf } from "./epilogue.ts";
import { address, type Lowering } from "./lowering.ts";

const concat: Lowering<"concat"> = (lower, { inputs, outputs: [y], attrs: { dim } }) => {
  const whole = around(y!.shape, dim);
  const pitch = whole.extent * whole.inner;
  let start = 0;
  for (const value of inputs) {
    const width = around(value.shape, dim).extent * whole.inner;
    lower.call("copy_rows", { value }, { value: y!, offset: 4 * start }, whole.outer, width, width, pitch, 0);
    start += width;
  }
};

const slice: Lowering<"slice"> = (lower, node) => {
  const { inputs: [x], outputs: [y], attrs: { dim, start, length } } = node;
  const { outer, extent, inner } = around(x!.shape, dim);
  const from: Word = { value: x!, offset: 4 * start * inner };
  const width = length * inner;
  lower.call("copy_rows", from, address(y), outer, width, extent * inner, width, epilogueOf(lower, node));
};

/** Out of the order of the old shape and into that of the new one, where memory does not hold the logical order. */
const reshape: Lowering<"reshape"> = (lower, { inputs: [x], outputs: [y] }) => {
  const transposed = reshaping(x!.shape, y!.shape);
  if (!transposed) return lower.alias(y!, x!);
  const { from, to } = transposed;
  let source = address(x);
  if (from) {
    const target: Word = to ? { scratch: lower.scratch(4 * sizeOf(x!.shape)) } : address(y);
    lower.call("transpose", source, target, from.batch, from.places, from.channels);
    source = target;
  }
  if (to) lower.call("transpose", source, address(y), to.batch, to.channels, to.places);
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
  flatten_channels_last: same,
  unflatten_channels_last: same,
};
