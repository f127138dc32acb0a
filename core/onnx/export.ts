/** Networks as ONNX models: https://github.com/onnx/onnx/blob/main/docs/IR.md */
import type { Graph, Value } from "../graph/graph.ts";
import { trace } from "../nn/trace.ts";
import type { Module } from "../nn/module.ts";
import { foldBatchNorms, type Weights } from "./fold.ts";
import { lowerNode } from "./nodes.ts";
import { elementTypes, encodeModel, type ValueInfoProto } from "./schema.ts";
import { OnnxWriter } from "./writer.ts";

export interface OnnxOptions {
  /** Batch norms become part of the layers before them. */
  readonly fold_batch_norm?: boolean;
  /** With it the model takes images from 0 to 1, and begins with (image − mean) / std; each has a number for a channel. */
  readonly normalisation?: { readonly mean: readonly number[]; readonly std: readonly number[] };
  /** What the file says of itself, as key and value. */
  readonly metadata?: Readonly<Record<string, string>>;
}

/** The set of operators that the model is written in, and the oldest version of the file format that has it. */
const OPSET = 17;
const IR_VERSION = 8;

/** The name of a file's first axis. */
const BATCH = "batch";

/**
 * The bytes of an ONNX model: `input` f32 [batch, C, H, W] → `logits`, as the network computes when it is not training.
 * The batch is open, image and channels are not. Weights keep their names, so that `parseStateDict` reads them back.
 *
 * @param image `[C, H, W]`
 * @param weights all parameters and running statistics, by name
 */
export function exportOnnx(
  name: string,
  model: Module,
  image: readonly [number, number, number],
  weights: Weights,
  options: OnnxOptions = {},
): Uint8Array {
  // What is different in two batches depends on it.
  const [two, three] = [2, 3].map((batch) => {
    const graph = trace(model, [batch, ...image], { training: false });
    return options.fold_batch_norm ? foldBatchNorms(graph, weights) : { graph, weights };
  }) as [{ graph: Graph; weights: Weights }, { graph: Graph }];
  const { graph } = two;
  const dynamic = dynamicAxes(graph, three.graph);

  const writer = new OnnxWriter(dynamic);
  for (const [state, value] of graph.states) writer.initializer(value, two.weights.get(state)!);
  const x = graph.inputs.get("x")!;
  writer.names.set(x, normalise(writer, options.normalisation));
  for (const node of graph.nodes) lowerNode(writer, node);
  const y = graph.outputs.get("y")!;
  writer.rename(y, "logits");

  const info = (name: string, value: Value): ValueInfoProto => {
    const axes = dynamic.get(value);
    const dim = value.shape.map((dimValue, axis) => axes?.has(axis) ? { dimParam: BATCH } : { dimValue });
    return { name, type: { tensorType: { elemType: elementTypes.F32, shape: { dim } } } };
  };
  const pixels = options.normalisation ? "images from 0 to 1" : "images as they were normalised for training";
  return encodeModel({
    irVersion: IR_VERSION,
    producerName: "Strata",
    docString: `${name}: input is ${pixels}; logits are scores before softmax`,
    opsetImport: [{ domain: "", version: OPSET }],
    metadataProps: Object.entries(options.metadata ?? {}).map(([key, value]) => ({ key, value })),
    graph: {
      name,
      node: writer.nodes,
      initializer: writer.initializers,
      input: [info("input", x)],
      output: [info("logits", y)],
    },
  });
}

/** Returns the name of what the network is given. */
function normalise(writer: OnnxWriter, normalisation: OnnxOptions["normalisation"]): string {
  if (!normalisation) return "input";
  const { mean, std } = normalisation;
  const perChannel = (name: string, values: readonly number[]) =>
    writer.constant(name, [values.length, 1, 1], Float32Array.from(values));
  const [centred] = writer.node("Sub", "input/centred", ["input", perChannel("input.mean", mean)]);
  return writer.node("Div", "input/normalised", [centred!, perChannel("input.std", std)])[0]!;
}

/** The axes of each value whose extents grow with the batch. */
function dynamicAxes(two: Graph, three: Graph): Map<Value, ReadonlySet<number>> {
  const axes = new Map<Value, ReadonlySet<number>>();
  const compare = (value: Value, other: Value) => {
    const differing = value.shape.flatMap((extent, axis) => extent === other.shape[axis] ? [] : [axis]);
    axes.set(value, new Set(differing));
  };
  compare(two.inputs.get("x")!, three.inputs.get("x")!);
  two.nodes.forEach((node, index) => {
    node.outputs.forEach((value, output) => compare(value, three.nodes[index]!.outputs[output]!));
  });
  return axes;
}
