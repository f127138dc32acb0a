/** Which node makes a value, and how often it is read: what passes over a graph ask. */
import type { OpName } from "../ops/mod.ts";
import type { Graph, Node, Value } from "./graph.ts";

/** The node that makes each result. */
export function makersOf(graph: Graph): ReadonlyMap<Value, Node> {
  return new Map(graph.nodes.flatMap((node) => node.outputs.map((value) => [value, node] as const)));
}

/** How often each value is read by nodes, or is an output. */
export function countUses({ nodes, outputs }: Graph): ReadonlyMap<Value, number> {
  const uses = new Map<Value, number>();
  for (const value of [...nodes.flatMap(({ inputs }) => inputs), ...outputs.values()]) {
    uses.set(value, (uses.get(value) ?? 0) + 1);
  }
  return uses;
}

/** The states of all graphs by name; those of the same name are one, which the graphs share. */
export function statesOf(graphs: readonly Graph[]): Map<string, Value> {
  const states = new Map<string, Value>();
  for (const graph of graphs) {
    for (const [name, value] of graph.states) if (!states.has(name)) states.set(name, value);
  }
  return states;
}

/** Whether a node is of one of these ops. */
export function isNode<K extends OpName>(node: Node | undefined, ...ops: readonly K[]): node is Node<K> {
  return node !== undefined && (ops as readonly OpName[]).includes(node.op);
}
