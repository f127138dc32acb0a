/** Ops on each number by itself become epilogues of the op that makes the numbers (core/ops/epilogue.ts). */
import { isEpilogue, type Step, type WithEpilogue } from "../ops/epilogue.ts";
import { opOf } from "../ops/mod.ts";
import type { Graph, Node, Value } from "./graph.ts";
import { countUses } from "./uses.ts";

/**
 * `relu(add(batch_norm(conv2d(x, weight)), other))` → `conv2d(x, weight, …, other)` with three steps, and whatever else
 * fits into an epilogue. The host, the node that takes the steps over, stays where it is, so all that its steps read must be
 * made before it: of the two sides of a sum, the one that is made later becomes the host. A result that something else reads,
 * too, stays as it is.
 */
export function fuseEpilogues(graph: Graph): Graph {
  const uses = countUses(graph);
  const nodes: (Node | undefined)[] = [...graph.nodes];
  const mutations = mutationsOf(graph.nodes);
  /** Index of the node that makes a value, −1 for inputs and states. */
  const places = new Map<Value, number>();
  const placeOf = (value: Value) => places.get(value) ?? -1;

  graph.nodes.forEach((node, index) => {
    for (const value of node.outputs) places.set(value, index);
    // A step keeps only its first result.
    if (node.outputs.slice(1).some((value) => uses.has(value))) return;
    for (const result of runningInputs(node)) {
      const value = node.inputs[result]!, place = placeOf(value), host = nodes[place];
      const others = node.inputs.filter((_, input) => input !== result);
      const changes = (other: Value) => mutations.get(other)?.some((at) => at >= place && at < index);
      const ready = others.every((other) => placeOf(other) < place && !changes(other));
      if (!host || host.outputs[0] !== value || uses.get(value) !== 1 || !ready) continue;
      const fused = withStep(host, node, others);
      if (!fused) continue;
      nodes[place] = fused;
      nodes[index] = undefined;
      places.set(node.outputs[0]!, place);
      return;
    }
  });
  return { ...graph, nodes: nodes.filter((node) => node !== undefined) };
}

/** The inputs of which one may be the result of a host, if the op can be a step at all. */
function runningInputs({ op, attrs }: Node): readonly number[] {
  switch (op) {
    case "add":
      return [0, 1];
    case "relu":
    case "leaky_relu":
    case "relu6":
    case "relu_grad":
    case "leaky_relu_grad":
    case "relu6_grad":
      return [0];
    case "batch_norm": {
      const { training, epilogue } = attrs as Node<"batch_norm">["attrs"];
      return training || epilogue ? [] : [0];
    }
    default:
      return [];
  }
}

/** The host with the node as its last step; undefined where it does not fit. */
function withStep(host: Node, node: Node, others: readonly Value[]): Node | undefined {
  const { epilogue = [] } = host.attrs as WithEpilogue;
  const { eps, negative_slope } = node.attrs as { eps?: number; negative_slope?: number };
  const step: Step = {
    op: node.op as Step["op"],
    inputs: others.map((_, index) => host.inputs.length + index),
    ...(node.op === "batch_norm" ? { eps: eps! } : {}),
    ...(negative_slope === undefined ? {} : { negative_slope }),
  };
  const steps = [...epilogue, step];
  if (!isEpilogue(host.op, steps)) return undefined;
  return {
    ...host,
    inputs: [...host.inputs, ...others],
    outputs: [node.outputs[0]!, ...host.outputs.slice(1)],
    attrs: { ...host.attrs, epilogue: steps } as Node["attrs"],
  };
}

/** Indices of the nodes that change a state. */
function mutationsOf(nodes: readonly Node[]): Map<Value, number[]> {
  const found = new Map<Value, number[]>();
  nodes.forEach(({ op, inputs, attrs }, index) => {
    for (const input of opOf(op).mutates?.(inputs, attrs as never) ?? []) {
      const value = inputs[input]!;
      found.set(value, [...found.get(value) ?? [], index]);
    }
  });
  return found;
}
