/** Convolutions whose groups are too narrow for tiles. */
import type { Value } from "../../../graph/graph.ts";
import type { ConvAttrs } from "../../../ops/conv.ts";
import { sizeOf } from "../../../shape.ts";
import { groupsFor, reads, writes } from "../kernel.ts";
import { elements } from "../wgsl/elements.ts";
import { narrowForward, narrowGradInput, narrowGradWeight, narrowSum } from "../wgsl/narrow_conv.ts";
import { sumColumns } from "../wgsl/reduce.ts";
import { blocksFor, columnGroups } from "./columns.ts";
import type { Finish } from "./epilogue.ts";
import type { Lower } from "./lowering.ts";

/** Outputs of a group up to which a tile would be mostly empty. */
const NARROW = 16;

/** Whether a convolution with these weights is computed so. */
export function isNarrow(weight: Value, { groups }: ConvAttrs): boolean {
  return groups > 1 && weight.shape[0]! / groups < NARROW;
}

function numbersOf(attrs: ConvAttrs, x: Value, weight: Value, y: Value) {
  const { stride, padding: [top, left], dilation, groups } = attrs;
  const [, channels, height, width] = x.shape as [number, number, number, number];
  const [out, in_group, kernel_rows, kernel_columns] = weight.shape as [number, number, number, number];
  return {
    ...{ channels, height, width, out, in_group, kernel_rows, kernel_columns, top, left },
    out_group: out / groups,
    rows: y.shape[2]!,
    columns: y.shape[3]!,
    stride_y: stride[0],
    stride_x: stride[1],
    dilation_y: dilation[0],
    dilation_x: dilation[1],
  };
}

export function narrowConv(
  lower: Lower,
  attrs: ConvAttrs,
  x: Value,
  w: Value,
  y: Value,
  finish: Finish,
): void {
  const count = sizeOf(y.shape);
  lower.add({
    kernel: "narrow_conv",
    code: elements(narrowForward.formula, finish.code + narrowForward.helpers),
    buffers: { x: reads(x), w: reads(w), y: writes(y), ...finish.buffers },
    numbers: { count, ...numbersOf(attrs, x, w, y), ...finish.numbers },
    groups: groupsFor(count),
  });
}

export function narrowConvGradInput(
  lower: Lower,
  attrs: ConvAttrs,
  dy: Value,
  w: Value,
  dx: Value,
  finish: Finish,
): void {
  const count = sizeOf(dx.shape);
  lower.add({
    kernel: "narrow_conv_grad_input",
    code: elements(narrowGradInput.formula, finish.code + narrowGradInput.helpers),
    buffers: { dy: reads(dy), w: reads(w), y: writes(dx), ...finish.buffers },
    numbers: { count, ...numbersOf(attrs, dx, w, dy), ...finish.numbers },
    groups: groupsFor(count),
  });
}

export function narrowConvGradWeight(lower: Lower, attrs: ConvAttrs, dy: Value, x: Value, dw: Value): void {
  const { rows: image_rows, channels: pitch, ...numbers } = numbersOf(attrs, x, dw, dy);
  const weights = sizeOf(dw.shape), pixels = sizeOf(dy.shape) / numbers.out;
  const { block, blocks } = blocksFor(pixels, weights, "f32");
  const parts = lower.scratch(4 * blocks * weights);
  lower.add({
    kernel: "narrow_conv_grad_weight",
    code: sumColumns(narrowGradWeight, "f32", lower.subgroups),
    buffers: { dy: reads(dy), x: reads(x), parts: writes(parts) },
    numbers: { ...numbers, image_rows, pitch, rows: pixels, channels: weights, block },
    groups: columnGroups(weights, blocks),
  });
  lower.add({
    kernel: "sum_blocks",
    code: sumColumns(narrowSum, "f32", lower.subgroups),
    buffers: { parts: reads(parts), dw: writes(dw) },
    numbers: {
      ...{ rows: blocks, channels: weights, block: blocks },
      ...{ out: numbers.out, each: weights / numbers.out },
    },
    groups: columnGroups(weights),
  });
}
