/** How a golden case's op and attributes, under PyTorch's names, become nodes. */
import type { GraphBuilder } from "../graph/builder.ts";
import type { Value } from "../graph/graph.ts";
import { emitLinear } from "../graph/linear.ts";
import { resolvePadding } from "../nn/functional.ts";
import type { AttrsOf, OpName } from "../ops/mod.ts";
import { joinAxes } from "../shape.ts";
import type { Attributes } from "./attributes.ts";
import { Missing } from "./case.ts";
import { GoldenError } from "./golden.ts";

/** Adds the op to the graph and returns its result. The inputs stand as the file lists them. */
export type BuildOp = (builder: GraphBuilder, inputs: ReadonlyMap<string, Value>, attrs: Attributes) => Value;

/** In the op's order where all names are those of its roles, else as the file lists them. */
function ordered(inputs: ReadonlyMap<string, Value>, roles: readonly string[]): Value[] {
  if (![...inputs.keys()].every((name) => roles.includes(name))) return [...inputs.values()];
  return roles.flatMap((role) => inputs.get(role) ?? []);
}

const LAYER = ["x", "weight", "bias"];

function op<K extends OpName>(
  name: K,
  read: (attrs: Attributes, inputs: readonly Value[]) => AttrsOf<K>,
  roles: readonly string[] = [],
): BuildOp {
  return (builder, inputs, attrs) => {
    const values = ordered(inputs, roles);
    return builder.emit(name, values, read(attrs, values))[0]!;
  };
}

function firstOf(inputs: ReadonlyMap<string, Value>): Value {
  const [x] = inputs.values();
  if (!x) throw new GoldenError("the case has no inputs");
  return x;
}

const rankOf = (inputs: readonly Value[]) => inputs[0]?.shape.length ?? 0;

const softmaxAttrs = (attrs: Attributes, inputs: readonly Value[]) => ({
  dim: attrs.axis("dim", rankOf(inputs), -1),
});

/** Stride and padding of a window that slides over the first input. */
const windowAttrs = (
  attrs: Attributes,
  inputs: readonly Value[],
  kernel: [number, number],
  stride: [number, number],
  dilation: [number, number],
) => {
  const padding = resolvePadding(attrs.padding(), inputs[0]?.shape ?? [], kernel, stride, dilation);
  return { stride, padding };
};

const convAttrs = (attrs: Attributes, inputs: readonly Value[]) => {
  const [, , height = 1, width = 1] = inputs[1]?.shape ?? [];
  const dilation = attrs.pair("dilation", 1);
  return {
    ...windowAttrs(attrs, inputs, [height, width], attrs.pair("stride", 1), dilation),
    dilation,
    groups: attrs.number("groups", 1),
  };
};

const poolAttrs = (attrs: Attributes, inputs: readonly Value[], dilation: [number, number] = [1, 1]) => {
  const kernel = attrs.pair("kernel");
  const stride = attrs.optionalPair("stride") ?? kernel;
  const ceil_mode = attrs.boolean("ceil_mode", false);
  return { kernel, ...windowAttrs(attrs, inputs, kernel, stride, dilation), ceil_mode };
};

const maxPoolAttrs = (attrs: Attributes, inputs: readonly Value[]) => {
  const dilation = attrs.pair("dilation", 1);
  return { ...poolAttrs(attrs, inputs, dilation), dilation };
};

/** PyTorch's batch norm does without weight and bias, and in training without running statistics. */
const batchNorm: BuildOp = (builder, inputs, attrs) => {
  const x = firstOf(inputs);
  const training = attrs.boolean("training", false);
  const constant = (value: number) => builder.emit("fill", [], { shape: x.shape.slice(1, 2), value })[0]!;
  const starts = { weight: 1, bias: 0, ...training ? { mean: 0, var: 1 } : {} };
  const absent = Object.entries(starts).filter(([name]) => !inputs.has(name));
  const values = inputs.size === 5
    ? inputs
    : new Map([...inputs, ...absent.map(([name, value]) => [name, constant(value)] as const)]);
  const before = attrs.number("num_batches_tracked", 0);
  return builder.emit("batch_norm", ordered(values, ["x", "weight", "bias", "mean", "var"]), {
    training,
    // Without one, running statistics are the mean of all batches.
    momentum: attrs.numberOrNull("momentum", 0.1) ?? 1 / (before + 1),
    eps: attrs.number("eps", 1e-5),
  })[0]!;
};

const linear: BuildOp = (builder, inputs) => {
  const [x, weight, bias] = ordered(inputs, LAYER);
  if (!x || !weight) throw new GoldenError("linear needs x and weight");
  return emitLinear(builder.emit, x, weight, bias);
};

/** Where chance plays no part. */
const dropout: BuildOp = (builder, inputs, attrs) => {
  const p = attrs.number("p", 0.5);
  const training = attrs.boolean("training", true);
  if (training && p > 0 && p < 1) throw new Missing("dropout draws other random numbers than PyTorch");
  const factor = training && p === 1 ? 0 : 1;
  return builder.emit("scale", [firstOf(inputs)], { factor })[0]!;
};

const flatten: BuildOp = (builder, inputs, attrs) => {
  const { shape } = firstOf(inputs);
  const start = attrs.axis("start_dim", shape.length, 0);
  const end = attrs.axis("end_dim", shape.length, -1);
  return builder.emit("reshape", [...inputs.values()], { shape: joinAxes(shape, start, end) })[0]!;
};

/** By the op's name in the golden files. */
export const opBuilders: Readonly<Record<string, BuildOp>> = {
  conv2d: op("conv2d", convAttrs, LAYER),
  linear,
  batch_norm: batchNorm,
  dropout,
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
  }), ["x", "target"]),
  yolo_loss: op("yolo_loss", (attrs) => ({
    split_size: attrs.number("S"),
    num_boxes: attrs.number("B"),
    num_classes: attrs.number("C"),
    lambda_coord: attrs.number("lambda_coord", 5),
    lambda_noobj: attrs.number("lambda_noobj", 0.5),
    reduction: attrs.text("reduction", "mean") as AttrsOf<"yolo_loss">["reduction"],
  }), ["pred", "target"]),
};
