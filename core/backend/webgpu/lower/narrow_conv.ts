/** Convolutions whose groups are too narrow for tiles. */
import type { Value } from "../../../graph/graph.ts";
import type { ConvAttrs } from "../../../ops/conv.ts";
import { sizeOf } from "../../../shape.ts";
import { groupsFor, reads, writes } from "../kernel.ts";
import { elements } from "../wgsl/elements.ts";
import { numbersOf, type Width } from "../wgsl/formula.ts";
import {
  depthwiseForward,
  depthwiseGradInput,
  narrowForward,
  narrowGradInput,
  narrowGradWeight,
  narrowSum,
} from "../wgsl/narrow_conv.ts";
import { sumColumns } from "../wgsl/reduce.ts";
import { blocksFor, columnGroups } from "./columns.ts";
import type { Finish } from "./epilogue.ts";
import type { Lower } from "./lowering.ts";
import { widthFor } from "./width.ts";

/** Outputs of a group up to which a tile would be mostly empty. */
const NARROW = 16;

/** Whether a convolution with these weights is computed so. */
export function isNarrow(weight: Value, { groups }: ConvAttrs): boolean {
  return groups > 1 && weight.shape[0]! / groups < NARROW;
}

function extentsOf(attrs: ConvAttrs, x: Value, weight: Value, y: Value) {
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

/** Whether channels go each by itself, in fours. */
function isDepthwise(weight: Value, { groups }: ConvAttrs): boolean {
  const [out, channels] = weight.shape;
  return channels === 1 && out === groups && groups % 4 === 0;
}

type FinishAs = (width: Width) => Finish;

export function narrowConv(
  lower: Lower,
  attrs: ConvAttrs,
  x: Value,
  w: Value,
  y: Value,
  finish: FinishAs,
): void {
  const depthwise = isDepthwise(w, attrs), out = depthwise ? "vec4f" : "f32";
  const own = widthFor(w.shape[1]!), done = finish(out), count = sizeOf(y.shape) / numbersOf(out);
  const { formula, helpers } = depthwise ? depthwiseForward : narrowForward(own);
  lower.add({
    kernel: depthwise ? "depthwise_conv" : "narrow_conv",
    code: elements(formula, done.code + helpers),
    buffers: {
      x: reads(x, depthwise ? out : own),
      w: reads(w, own),
      y: writes(y, out),
      ...done.buffers,
    },
    numbers: { count, ...extentsOf(attrs, x, w, y), ...done.numbers },
    groups: groupsFor(count),
  });
}

export function narrowConvGradInput(
  lower: Lower,
  attrs: ConvAttrs,
  dy: Value,
  w: Value,
  dx: Value,
  finish: FinishAs,
): void {
  const depthwise = isDepthwise(w, attrs), width = depthwise ? "vec4f" : "f32";
  const done = finish(width), count = sizeOf(dx.shape) / numbersOf(width);
  const { formula, helpers } = depthwise ? depthwiseGradInput : narrowGradInput;
  lower.add({
    kernel: depthwise ? "depthwise_conv_grad_input" : "narrow_conv_grad_input",
    code: elements(formula, done.code + helpers),
    buffers: { dy: reads(dy, width), w: reads(w), y: writes(dx, width), ...done.buffers },
    numbers: { count, ...extentsOf(attrs, dx, w, dy), ...done.numbers },
    groups: groupsFor(count),
  });
}

export function narrowConvGradWeight(lower: Lower, attrs: ConvAttrs, dy: Value, x: Value, dw: Value): void {
  const { rows: image_rows, channels: pitch, ...numbers } = extentsOf(attrs, x, dw, dy);
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
