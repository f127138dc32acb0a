/** How a golden case's op and attributes, under PyTorch's names, become nodes. */
import type { GraphBuilder } from "../graph/builder.ts";
import type { Value } from "../graph/graph.ts";
import type { AttrsOf, OpName } from "../ops/mod.ts";
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

const poolAttrs = (attrs: Attributes) => {
  const kernel = attrs.pair("kernel");
  return {
    kernel,
    stride: attrs.pair("stride", kernel),
    padding: attrs.sides("padding"),
    ceil_mode: attrs.boolean("ceil_mode", false),
  };
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
  conv2d: op("conv2d", (attrs) => ({
    stride: attrs.pair("stride", 1),
    padding: attrs.sides("padding"),
    dilation: attrs.pair("dilation", 1),
    groups: attrs.number("groups", 1),
  })),
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
  max_pool2d: op("max_pool2d", (attrs) => ({ ...poolAttrs(attrs), dilation: attrs.pair("dilation", 1) })),
  avg_pool2d: op("avg_pool2d", (attrs) => ({
    ...poolAttrs(attrs),
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
