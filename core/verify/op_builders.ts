/** How a golden case's op and attributes, under PyTorch's names, become nodes. */
import type { GraphBuilder } from "../graph/builder.ts";
import type { Value } from "../graph/graph.ts";
import { resolvePadding } from "../nn/functional.ts";
import type { AttrsOf, OpName } from "../ops/mod.ts";
import type { Pair } from "../shape.ts";
import type { Attributes } from "./attributes.ts";

/** Adds the op to the graph and returns its result. */
export type BuildOp = (builder: GraphBuilder, inputs: readonly Value[], attrs: Attributes) => Value;

function op<K extends OpName>(
  name: K,
  read: (attrs: Attributes, inputs: readonly Value[]) => AttrsOf<K>,
): BuildOp {
  return (builder, inputs, attrs) => builder.emit(name, inputs, read(attrs, inputs))[0]!;
}

const rankOf = (inputs: readonly Value[]) => inputs[0]?.shape.length ?? 0;

const softmaxAttrs = (attrs: Attributes, inputs: readonly Value[]) => ({
  dim: attrs.axis("dim", rankOf(inputs), -1),
});

/** Stride, padding and dilation of a window that slides over the first input. */
const windowAttrs = (
  attrs: Attributes,
  inputs: readonly Value[],
  kernel: [number, number],
  defaultStride: Pair,
  dilation: [number, number],
) => {
  const stride = attrs.pair("stride", defaultStride);
  const padding = resolvePadding(attrs.padding(), inputs[0]?.shape ?? [], kernel, stride, dilation);
  return { stride, padding };
};

const convAttrs = (attrs: Attributes, inputs: readonly Value[]) => {
  const [, , height = 1, width = 1] = inputs[1]?.shape ?? [];
  const dilation = attrs.pair("dilation", 1);
  return {
    ...windowAttrs(attrs, inputs, [height, width], 1, dilation),
    dilation,
    groups: attrs.number("groups", 1),
  };
};

const poolAttrs = (attrs: Attributes, inputs: readonly Value[], dilation: [number, number] = [1, 1]) => {
  const kernel = attrs.pair("kernel");
  const ceil_mode = attrs.boolean("ceil_mode", false);
  return { kernel, ...windowAttrs(attrs, inputs, kernel, kernel, dilation), ceil_mode };
};

const maxPoolAttrs = (attrs: Attributes, inputs: readonly Value[]) => {
  const dilation = attrs.pair("dilation", 1);
  return { ...poolAttrs(attrs, inputs, dilation), dilation };
};

/** `start_dim` … `end_dim` become one axis. */
const flatten: BuildOp = (builder, inputs, attrs) => {
  const [x] = inputs;
  const shape = x?.shape ?? [];
  const start = attrs.axis("start_dim", shape.length, 0);
  const end = attrs.axis("end_dim", shape.length, -1);
  const joined = shape.slice(start, end + 1).reduce((product, extent) => product * extent, 1);
  return builder.emit("reshape", inputs, {
    shape: [...shape.slice(0, start), joined, ...shape.slice(end + 1)],
  })[0]!;
};

export const opBuilders: Readonly<Record<string, BuildOp>> = {
  conv2d: op("conv2d", convAttrs),
  linear: op("linear", () => ({})),
  batch_norm: op("batch_norm", (attrs) => ({
    training: attrs.boolean("training", false),
    momentum: attrs.number("momentum", 0.1),
    eps: attrs.number("eps", 1e-5),
  })),
  local_response_norm: op("local_response_norm", (attrs) => ({
    size: attrs.number("size"),
    alpha: attrs.number("alpha", 1e-4),
    beta: attrs.number("beta", 0.75),
    k: attrs.number("k", 1),
  })),
  relu: op("relu", () => ({})),
  leaky_relu: op("leaky_relu", (attrs) => ({ negative_slope: attrs.number("negative_slope", 0.01) })),
  relu6: op("relu6", () => ({})),
  sigmoid: op("sigmoid", () => ({})),
  tanh: op("tanh", () => ({})),
  softmax: op("softmax", softmaxAttrs),
  log_softmax: op("log_softmax", softmaxAttrs),
  max_pool2d: op("max_pool2d", maxPoolAttrs),
  avg_pool2d: op("avg_pool2d", (attrs, inputs) => ({
    ...poolAttrs(attrs, inputs),
    count_include_pad: attrs.boolean("count_include_pad", true),
  })),
  adaptive_avg_pool2d: op("adaptive_avg_pool2d", (attrs) => ({ output: attrs.pair("output") })),
  concat: op("concat", (attrs, inputs) => ({ dim: attrs.axis("dim", rankOf(inputs), 0) })),
  add: op("add", () => ({})),
  multiply: op("multiply", () => ({})),
  flatten,
  cross_entropy: op("cross_entropy", (attrs) => ({
    label_smoothing: attrs.number("label_smoothing", 0),
    reduction: attrs.text("reduction", "mean") as AttrsOf<"cross_entropy">["reduction"],
  })),
};
