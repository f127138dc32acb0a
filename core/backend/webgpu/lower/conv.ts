/** Convolutions and linear layers, which are convolutions of images of one pixel, as products over gathered images. */
import type { Value } from "../../../graph/graph.ts";
import type { ConvAttrs } from "../../../ops/conv.ts";
import { ownInputs, type WithEpilogue } from "../../../ops/epilogue.ts";
import { sizeOf } from "../../../shape.ts";
import { phasesOf } from "../../taps.ts";
import { reads, writes } from "../kernel.ts";
import * as operands from "../wgsl/operands.ts";
import { sum_channels } from "./columns.ts";
import { epilogueOf, type Finish } from "./epilogue.ts";
import { convolve, extents, tapTable, walkNumbers, walkOf } from "./gathered.ts";
import { addPlainSlices, multiply } from "./gemm.ts";
import type { Lower, Lowering } from "./lowering.ts";
import { isNarrow, narrowConv, narrowConvGradInput, narrowConvGradWeight } from "./narrow_conv.ts";
import { multiplyFewRows, type MultiplyThin, runsFor, takesFewRows } from "./thin.ts";
import { widthFor } from "./width.ts";
import { isWinograd, sideFor, winograd } from "./winograd.ts";

const PLAIN: ConvAttrs = { stride: [1, 1], padding: [0, 0, 0, 0], dilation: [1, 1], groups: 1 };

/** A node that may have an epilogue. */
interface Finished {
  readonly inputs: readonly Value[];
  readonly outputs: readonly Value[];
  readonly attrs: WithEpilogue;
}

/** Adding the bias, where there is one, and then the epilogue. */
function finishOf(
  lower: Lower,
  node: Pick<Finished, "inputs" | "attrs">,
  bias: Value | undefined,
): (width: "f32" | "vec4f") => Finish {
  return (width) => {
    const finish = epilogueOf(lower, node, width, bias ? "x = x + read_bias(channel);" : "");
    return bias ? { ...finish, buffers: { bias: reads(bias, width), ...finish.buffers } } : finish;
  };
}

function forward(
  lower: Lower,
  node: Finished,
  attrs: ConvAttrs,
  kernel: string,
): void {
  const [x, weight, bias] = ownInputs(node.inputs, node.attrs), [y] = node.outputs;
  const [out, channels, kernelHeight, kernelWidth] = extents(weight), [, , height, width] = extents(y);
  const filterSize = kernelHeight * kernelWidth * channels, columns = out / attrs.groups;
  const finish = finishOf(lower, node, bias);
  const side = isWinograd(attrs, extents(weight)) ? sideFor(lower, extents(x), extents(y)) : 0;
  if (side !== 0) {
    return winograd(lower, side, {
      kernel,
      ...{ x: x!, y: y!, image: extents(x), result: extents(y) },
      padding: [attrs.padding[0], attrs.padding[1]],
      filter: { value: weight!, w_column: filterSize, w_channel: 1, w_tap: channels, turned: false },
      finish,
    });
  }
  convolve(lower, {
    kernel,
    x: x!,
    walk: walkOf(attrs, extents(x), extents(weight), extents(y)),
    filter: {
      value: weight!,
      pitches: { w_group: columns * filterSize, w_column: filterSize, w_tap: channels, w_channel: 1 },
    },
    target: {
      value: y!,
      ...{ out_start: 0, out_image: height * width * out, out_row: width * out, out_column: out },
    },
    groups: attrs.groups,
    columns,
    whole: true,
    finish,
  });
}

/** A product for each phase of the input's pixels. */
function gradInput(
  lower: Lower,
  node: Finished,
  attrs: ConvAttrs,
  kernel: string,
): void {
  const [dy, weight] = node.inputs, [dx] = node.outputs, { groups, stride, padding } = attrs;
  const [, channels, height, width] = extents(dx), [, out] = extents(dy);
  const [, columns, kernelHeight, kernelWidth] = extents(weight);
  const filterSize = kernelHeight * kernelWidth * columns;
  const finishes = new Map<string, Finish>();
  const finish = finishOf(lower, node, undefined);
  const side = isWinograd(attrs, extents(weight)) ? sideFor(lower, extents(dy), extents(dx)) : 0;
  if (side !== 0) {
    return winograd(lower, side, {
      kernel,
      ...{ x: dy!, y: dx!, image: extents(dy), result: extents(dx) },
      padding: [2 - padding[0], 2 - padding[1]],
      filter: { value: weight!, w_column: 1, w_channel: filterSize, w_tap: columns, turned: true },
      finish,
    });
  }
  const phases = phasesOf(attrs, [kernelHeight, kernelWidth], [height, width]);
  for (const { y, x, rows, columns: across, taps } of phases) {
    convolve(lower, {
      kernel,
      x: dy!,
      walk: {
        image: extents(dy),
        channels: out / groups,
        ...{ rows, columns: across, stride: [1, 1], taps },
      },
      filter: {
        value: weight!,
        pitches: {
          w_group: out / groups * filterSize,
          w_column: 1,
          w_tap: columns,
          w_channel: filterSize,
        },
      },
      target: {
        value: dx!,
        out_start: (y * width + x) * channels,
        out_image: height * width * channels,
        out_row: stride[0] * width * channels,
        out_column: stride[1] * channels,
      },
      groups,
      columns,
      whole: stride[0] === 1 && stride[1] === 1,
      // Made once, whatever the number of phases.
      finish: (width) => {
        let made = finishes.get(width);
        if (!made) finishes.set(width, made = finish(width));
        return made;
      },
    });
  }
}

/** dw [O, (taps, channels)] = Σ over the pixels of dy · x. */
function gradWeight(
  lower: Lower,
  [dy, x]: readonly Value[],
  dw: Value,
  attrs: ConvAttrs,
  kernel: string,
): void {
  const [out, channels] = extents(dw), { groups } = attrs;
  const walk = walkOf(attrs, extents(x), extents(dw), extents(dy));
  const [images, pitch] = walk.image;
  const m = out / groups, n = walk.taps.length * channels, k = images * walk.rows * walk.columns;
  const cut = takesFewRows(lower, m, k) ? undefined : lower.cut({ m, n, k, groups, splits: true });
  const { slices } = cut ?? runsFor(n, k);
  const target = slices > 1 ? lower.scratch(4 * slices * sizeOf(dw.shape)) : dw;
  const width = { dy: widthFor(out, m), x: widthFor(pitch, channels), dw: widthFor(n) };
  const product: MultiplyThin = {
    kernel,
    ...{ m, n, k, groups },
    a: operands.turnedOperand({ four: width.dy === "vec4f" }),
    b: operands.seenOperand({ four: width.x === "vec4f" }),
    store: operands.storeFilters({ four: width.dw === "vec4f" }),
    buffers: {
      dy: reads(dy, width.dy),
      x: reads(x, width.x),
      taps: tapTable(walk.taps),
      parts: writes(target, width.dw),
    },
    numbers: { ...walkNumbers(walk), out },
  };
  if (cut) multiply(lower, { ...product, cut });
  else multiplyFewRows(lower, product);
  if (target === dw) return;
  addPlainSlices(lower, target, dw, { slices, count: sizeOf(dw.shape), channels: n, width: width.dw });
}

const conv2d: Lowering<"conv2d"> = (lower, node) => {
  const { attrs, outputs: [y] } = node, [x, weight, bias] = ownInputs(node.inputs, attrs);
  if (!isNarrow(weight!, attrs)) return forward(lower, node, attrs, "conv2d");
  narrowConv(lower, attrs, x!, weight!, y!, finishOf(lower, node, bias));
};

const conv2d_grad_input: Lowering<"conv2d_grad_input"> = (lower, node) => {
  const { attrs, inputs: [dy, weight], outputs: [dx] } = node;
  if (!isNarrow(weight!, attrs)) return gradInput(lower, node, attrs, "conv2d_grad_input");
  narrowConvGradInput(lower, attrs, dy!, weight!, dx!, finishOf(lower, node, undefined));
};

const conv2d_grad_weight: Lowering<"conv2d_grad_weight"> = (lower, { inputs, outputs: [dw], attrs }) => {
  if (!isNarrow(dw!, attrs)) return gradWeight(lower, inputs, dw!, attrs, "conv2d_grad_weight");
  narrowConvGradWeight(lower, attrs, inputs[0]!, inputs[1]!, dw!);
};

const linear: Lowering<"linear"> = (lower, node) => forward(lower, node, PLAIN, "linear");

const linear_grad_input: Lowering<"linear_grad_input"> = (lower, node) =>
  gradInput(lower, node, PLAIN, "linear_grad_input");

const linear_grad_weight: Lowering<"linear_grad_weight"> = (lower, { inputs, outputs: [dw] }) =>
  gradWeight(lower, inputs, dw!, PLAIN, "linear_grad_weight");

export const convLowerings = {
  conv2d,
  conv2d_grad_input,
  conv2d_grad_weight,
  linear,
  linear_grad_input,
  linear_grad_weight,
  sum_channels,
};
