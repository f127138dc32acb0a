/** Batch norms by running statistics become part of the convolution or linear layer before them. */
import type { Graph, Node, Value } from "../graph/graph.ts";
import { countUses, isNode, makersOf } from "../graph/uses.ts";
import { sizeOf } from "../shape.ts";

export type Weights = ReadonlyMap<string, Float32Array>;

/**
 * `batch_norm(conv2d(x, w, b))` → `conv2d(x, w · s, (b − mean) · s + shift)` with s = scale / √(var + eps), where nothing
 * else wants the convolution's result or its weight. Only for inference. The new weights stand under the layer's names.
 */
export function foldBatchNorms(graph: Graph, weights: Weights): { graph: Graph; weights: Weights } {
  const uses = countUses(graph);
  const makers = makersOf(graph);
  const folded = new Map<string, Float32Array>();
  const replaced = new Map<Node, Node | undefined>();
  for (const norm of graph.nodes) {
    if (!isNode(norm, "batch_norm") || norm.attrs.training) continue;
    const [x, scale, shift, mean, variance] = norm.inputs as [Value, Value, Value, Value, Value];
    const host = makers.get(x);
    if (!isNode(host, "conv2d", "linear") || uses.get(x) !== 1) continue;
    const [input, weight, bias] = host.inputs as [Value, Value, Value | undefined];
    if (uses.get(weight) !== 1 || (bias && uses.get(bias) !== 1)) continue;

    const numbers = (value: Value) => weights.get(value.name)!;
    const [scales, means, variances] = [numbers(scale), numbers(mean), numbers(variance)];
    const old = bias && numbers(bias);
    const factors = Float64Array.from(
      scales,
      (value, c) => value / Math.sqrt(variances[c]! + norm.attrs.eps),
    );
    const perChannel = sizeOf(weight.shape.slice(1));
    folded.set(weight.name, numbers(weight).map((value, i) => value * factors[Math.floor(i / perChannel)]!));
    const newBias: Value = { ...shift, name: bias?.name ?? biasName(weight.name, graph) };
    folded.set(
      newBias.name,
      numbers(shift).map((value, c) => value + ((old?.[c] ?? 0) - means[c]!) * factors[c]!),
    );
    replaced.set(host, undefined);
    replaced.set(norm, {
      ...host,
      inputs: [input, weight, newBias],
      outputs: [norm.outputs[0]!],
    } as Node);
  }
  const nodes = graph.nodes.flatMap((node) => replaced.has(node) ? replaced.get(node) ?? [] : [node]);
  const states = new Map(
    nodes.flatMap(({ inputs }) => inputs).filter(({ kind }) => kind === "state").map((
      value,
    ) => [value.name, value]),
  );
  return {
    graph: { ...graph, nodes, states },
    weights: new Map([...states.keys()].map((name) => [name, folded.get(name) ?? weights.get(name)!])),
  };
}

/** What the bias of a layer without one is called; own layers may call things as they like. */
function biasName(weight: string, { states }: Graph): string {
  const usual = weight.replace(/weight$/, "bias");
  return states.has(usual) ? `${weight}.bias` : usual;
}
