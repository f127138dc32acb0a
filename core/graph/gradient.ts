/** Reverse-mode differentiation as graph building: the gradient of a graph is more graph. */
import { type AttrsOf, type OpName, opOf } from "../ops/mod.ts";
import type { GraphBuilder } from "./builder.ts";
import type { Node, Value } from "./graph.ts";

/** Called with a value and its gradient as soon as the gradient is complete: no later node reads the value. */
export type Complete = (value: Value, gradient: Value) => void;

/**
 * Appends to the graph the nodes that compute the gradients of `of` with respect to each of `wrt`, given `seed`, the
 * gradient that arrives at `of` (same shape; a constant 1 for a loss). Returns a map from each of `wrt` to its
 * gradient; a value on which `of` does not depend has none. Throws where a needed op has no gradient.
 *
 * ```ts
 * import assert from "node:assert/strict";
 * import { createWasmBackend } from "../backend/wasm/backend.ts";
 * import { GraphBuilder } from "./builder.ts";
 * import { f32 } from "./graph.ts";
 *
 * // y = x · x, and so dy/dx = 2x.
 * const builder = new GraphBuilder();
 * const x = builder.input("x", f32([3]));
 * const [y] = builder.emit("multiply", [x, x], {});
 * const [ones] = builder.emit("fill", [], { shape: [3], value: 1 });
 * builder.output("dx", gradient(builder, y!, ones!, [x]).get(x)!);
 *
 * const backend = await createWasmBackend({ threads: 1 });
 * const session = backend.compile({ square: builder.finish() });
 * session.write("square", "x", [1, 2, 3]);
 * await session.run("square");
 * assert.deepEqual([...await session.read("square", "dx")], [2, 4, 6]);
 * backend.close();
 * ```
 */
export function gradient(
  builder: GraphBuilder,
  of: Value,
  seed: Value,
  wrt: readonly Value[],
  complete?: Complete,
): Map<Value, Value> {
  return gradients(builder, new Map([[of, seed]]), wrt, complete);
}

/** The same for several values at once: the sum of their gradients, each with its own seed. */
export function gradients(
  builder: GraphBuilder,
  seeds: ReadonlyMap<Value, Value>,
  wrt: readonly Value[],
  complete: Complete = () => {},
): Map<Value, Value> {
  const nodes = [...builder.nodes];
  const relevant = dependents(nodes, wrt);
  const firstReads = firstReadsOf(nodes, wrt);
  const grads = new Map<Value, Value>(seeds);
  const { scope, layer } = builder;
  const propagate = (node: Node) => {
    const needs = node.inputs.map((input) => relevant.has(input));
    const arriving = node.outputs.map((output) => grads.get(output));
    if (!needs.includes(true) || arriving.every((grad) => grad === undefined)) return;
    // Backward work belongs to the module whose forward work it undoes.
    builder.scope = node.scope;
    builder.layer = node.layer;
    nodeGradient(builder, node, arriving, needs).forEach((grad, index) => {
      const input = node.inputs[index];
      if (!grad || !input || !needs[index]) return;
      const sofar = grads.get(input);
      grads.set(input, sofar ? builder.emit("add", [sofar, grad], {})[0]! : grad);
    });
    builder.scope = scope;
    builder.layer = layer;
  };
  for (const node of nodes.reverse()) {
    propagate(node);
    for (const value of firstReads.get(node) ?? []) {
      const grad = grads.get(value);
      if (grad) complete(value, grad);
    }
  }
  return new Map(wrt.flatMap((value) => {
    const grad = grads.get(value);
    return grad ? [[value, grad] as const] : [];
  }));
}

function nodeGradient<K extends OpName>(
  builder: GraphBuilder,
  node: Node<K>,
  arriving: readonly (Value | undefined)[],
  needs: readonly boolean[],
): readonly (Value | undefined)[] {
  const rule = opOf(node.op).gradient;
  if (!rule) throw new Error(`${node.scope || "the network"}: ${node.op} has no gradient`);
  const applied = { inputs: node.inputs, outputs: node.outputs, attrs: node.attrs as AttrsOf<K> };
  return rule(builder.emit, applied, arriving, needs);
}

/** Values that change when one of `roots` does. */
function dependents(nodes: readonly Node[], roots: readonly Value[]): Set<Value> {
  const found = new Set(roots);
  for (const node of nodes) {
    if (node.inputs.some((input) => found.has(input))) node.outputs.forEach((output) => found.add(output));
  }
  return found;
}

/** Which of `values` each node is the first to read. */
function firstReadsOf(nodes: readonly Node[], values: readonly Value[]): Map<Node, Value[]> {
  const waiting = new Set(values);
  const reads = new Map<Node, Value[]>();
  for (const node of nodes) {
    const found = node.inputs.filter((input) => waiting.delete(input));
    if (found.length > 0) reads.set(node, found);
  }
  return reads;
}
