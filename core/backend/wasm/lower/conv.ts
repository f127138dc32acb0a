/** Convolutions and linear layers, as matrix products over gathered images. */
import type { Value } from "../../../graph/graph.ts";
import type { ConvAttrs } from "../../../ops/conv.ts";
import { ownInputs } from "../../../ops/epilogue.ts";
import { sizeOf } from "../../../shape.ts";
import { forwardTaps, phasesOf } from "../../taps.ts";
import { epilogueOf } from "./epilogue.ts";
import { type Gather, onePixel, withoutDeadTaps } from "./gather.ts";
import { multiplyGathered, multiplyTransposed, type WeightPitches } from "./gemm.ts";
import { address, addressOrNull, type Lowering } from "./lowering.ts";
import { chooseSide, convolutionOf, type Extents4 } from "./method.ts";
import { convolve, convolveGradFilter } from "./winograd.ts";

/** The extents of a 4-axis value: N, C, H, W or O, I, kH, kW. */
function extents(value: Value | undefined): Extents4 {
  return value!.shape as Extents4;
}

/** The gather of a convolution's forward pass. */
function forwardGather(attrs: ConvAttrs, x: Extents4, weight: Extents4, y: Extents4): Gather {
  const [, pitch, height, width] = x;
  const [, channels, kernelHeight, kernelWidth] = weight;
  const taps = forwardTaps(attrs, [kernelHeight, kernelWidth]);
  const [strideY, strideX] = attrs.stride;
  return withoutDeadTaps({
    ...{ height, width, pitch, channels, rows: y[2], columns: y[3], strideY, strideX, taps },
  });
}

/** Weights are stored O, kH, kW, I. */
function pitchesOf([out, channels, kernelHeight, kernelWidth]: Extents4, groups: number) {
  const row = kernelHeight * kernelWidth * channels;
  return { group: (out / groups) * row, out: row, tap: channels };
}

const conv2d: Lowering<"conv2d"> = (lower, node) => {
  const { outputs: [y], attrs } = node;
  const [x, weight, bias] = ownInputs(node.inputs, attrs);
  const [images, out, height, width] = extents(y);
  const { group, out: column, tap } = pitchesOf(extents(weight), attrs.groups);
  const operands = { x: address(x), weight: address(weight), bias: addressOrNull(bias), y: address(y) };
  const shapes = convolutionOf(node)!;
  const m = chooseSide(lower.method, shapes);
  if (m) {
    const [top, left] = attrs.padding;
    return convolve(lower, {
      tiling: { m, input: shapes.x, output: shapes.y, padding: [top, left] },
      ...operands,
      weightPitches: { column, tap, channel: 1 },
      turned: false,
      epilogue: epilogueOf(lower, node),
    });
  }
  multiplyGathered(lower, {
    ...operands,
    images,
    groups: attrs.groups,
    columns: out / attrs.groups,
    gather: forwardGather(attrs, extents(x), extents(weight), extents(y)),
    weightPitches: { group, column, tap, channel: 1 },
    outputPitches: [height * width * out, width * out, out],
    epilogue: epilogueOf(lower, node),
  });
};

/** A product for each phase of the input's pixels. */
const conv2d_grad_input: Lowering<"conv2d_grad_input"> = (lower, node) => {
  const { inputs: [dy, weight], outputs: [dx], attrs } = node;
  const { groups, stride, padding } = attrs;
  const [images, channels, height, width] = extents(dx);
  const [, out, dyHeight, dyWidth] = extents(dy);
  const [, columns, kernelHeight, kernelWidth] = extents(weight);
  const { group, out: channel, tap } = pitchesOf(extents(weight), groups);
  const weightPitches: WeightPitches = { group, column: 1, tap, channel };
  const epilogue = epilogueOf(lower, node);
  const shapes = convolutionOf(node)!;
  const m = chooseSide(lower.method, shapes);
  if (m) {
    // A convolution of dy with the filters turned round, where the image is padded as far as they reach.
    const [top, left] = padding;
    return convolve(lower, {
      tiling: { m, input: shapes.y, output: shapes.x, padding: [2 - top, 2 - left] },
      x: address(dy),
      weight: address(weight),
      bias: 0,
      y: address(dx),
      weightPitches,
      turned: true,
      epilogue,
    });
  }
  const phases = phasesOf(attrs, [kernelHeight, kernelWidth], [height, width]);
  for (const { y, x, rows, columns: across, taps } of phases) {
    const gather: Gather = {
      ...{ height: dyHeight, width: dyWidth, pitch: out, channels: out / groups },
      ...{ rows, columns: across, strideY: 1, strideX: 1, taps },
    };
    multiplyGathered(lower, {
      x: address(dy),
      weight: address(weight),
      bias: 0,
      y: { value: dx!, offset: (y * width + x) * channels * 4 },
      images,
      groups,
      columns,
      gather: withoutDeadTaps(gather),
      weightPitches,
      outputPitches: [height * width * channels, stride[0] * width * channels, stride[1] * channels],
      epilogue,
    });
  }
};

const conv2d_grad_weight: Lowering<"conv2d_grad_weight"> = (lower, node) => {
  const { inputs: [dy, x], outputs: [dw], attrs } = node;
  const shapes = convolutionOf(node)!;
  const m = chooseSide(lower.method, shapes);
  if (m) {
    const [top, left] = attrs.padding;
    const tiling = { m, input: shapes.x, output: shapes.y, padding: [top, left] } as const;
    return convolveGradFilter(lower, tiling, address(dy), address(x), address(dw));
  }
  const [images] = extents(x), [out, , kernelHeight, kernelWidth] = extents(dw);
  multiplyTransposed(lower, {
    dy: address(dy),
    x: address(x),
    dw: address(dw),
    images,
    groups: attrs.groups,
    rows: out / attrs.groups,
    gather: forwardGather(attrs, extents(x), extents(dw), extents(dy)),
    taps: kernelHeight * kernelWidth,
  });
};

const linear: Lowering<"linear"> = (lower, node) => {
  const [x, weight, bias] = ownInputs(node.inputs, node.attrs), [y] = node.outputs;
  const [images, out] = y!.shape as [number, number], channels = weight!.shape[1]!;
  multiplyGathered(lower, {
    x: address(x),
    weight: address(weight),
    bias: addressOrNull(bias),
    y: address(y),
    images,
    groups: 1,
    columns: out,
    gather: onePixel(channels),
    weightPitches: { group: 0, column: channels, tap: 0, channel: 1 },
    outputPitches: [out, 0, 0],
    epilogue: epilogueOf(lower, node),
  });
};

const linear_grad_input: Lowering<"linear_grad_input"> = (lower, node) => {
  const { inputs: [dy, weight], outputs: [dx] } = node;
  const [out, columns] = weight!.shape as [number, number];
  multiplyGathered(lower, {
    x: address(dy),
    weight: address(weight),
    bias: 0,
    y: address(dx),
    images: dx!.shape[0]!,
    groups: 1,
    columns,
    gather: onePixel(out),
    weightPitches: { group: 0, column: 1, tap: 0, channel: columns },
    outputPitches: [columns, 0, 0],
    epilogue: epilogueOf(lower, node),
  });
};

const linear_grad_weight: Lowering<"linear_grad_weight"> = (lower, { inputs: [dy, x], outputs: [dw] }) => {
  const [rows, channels] = dw!.shape as [number, number];
  multiplyTransposed(lower, {
    dy: address(dy),
    x: address(x),
    dw: address(dw),
    images: x!.shape[0]!,
    groups: 1,
    rows,
    gather: onePixel(channels),
    taps: 1,
  });
};

/** Chunks that a sum over all pixels is cut into, at most, and the least rows of one. */
const SUM_CHUNKS = 64;
const LEAST_SUM_ROWS = 64;

const sum_channels: Lowering<"sum_channels"> = (lower, { inputs: [x], outputs: [sums] }) => {
  const channels = x!.shape[1]!, rows = sizeOf(x!.shape) / channels;
  const chunk = Math.max(Math.ceil(rows / SUM_CHUNKS), LEAST_SUM_ROWS), chunks = Math.ceil(rows / chunk);
  const parts = chunks === 1 ? address(sums) : { scratch: lower.scratch(chunks * channels * 4) };
  lower.call("sumChannels", address(x), parts, rows, channels, chunk);
  if (chunks > 1) {
    lower.call("sumChunks", parts, address(sums), chunks, 1, channels, channels, 1, 1, 1, { table: [0] });
  }
};

export const convLowerings = {
  conv2d,
  conv2d_grad_input,
  conv2d_grad_weight,
  linear,
  linear_grad_input,
  linear_grad_weight,
  sum_channels,
};
