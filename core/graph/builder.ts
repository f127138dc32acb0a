import { type AttrsOf, type OpName, opOf } from "../ops/mod.ts";
import { Misfit } from "../ops/op.ts";
import { formatShape } from "../shape.ts";
import type { Graph, Node, TensorType, Value } from "./graph.ts";
import { likelyCause } from "./likely_cause.ts";

/** A shape mistake in a network: where, which op, which shapes, and what probably went wrong. One line. */
export class ShapeError extends Error {
  override readonly name = "ShapeError";
}

/** Makes graphs: adds nodes one by one, each with its shapes inferred and checked. */
export class GraphBuilder {
  readonly #nodes: Node[] = [];
  readonly #inputs = new Map<string, Value>();
  readonly #states = new Map<string, Value>();
  readonly #outputs = new Map<string, Value>();
  #ids = 0;

  /** Path of the module that the next nodes come from, and its class; the tracer keeps these up to date. */
  scope = "";
  layer = "";

  /** Continues a finished graph: values keep their identity. */
  static extend(graph: Graph): GraphBuilder {
    const builder = new GraphBuilder();
    builder.#nodes.push(...graph.nodes);
    for (const [name, value] of graph.inputs) builder.#inputs.set(name, value);
    for (const [name, value] of graph.states) builder.#states.set(name, value);
    for (const [name, value] of graph.outputs) builder.#outputs.set(name, value);
    for (const value of valuesOf(graph)) builder.#ids = Math.max(builder.#ids, value.id + 1);
    return builder;
  }

  /** The nodes so far, in order. */
  get nodes(): readonly Node[] {
    return this.#nodes;
  }

  /** The states that nodes have asked for so far, by name. */
  get states(): ReadonlyMap<string, Value> {
    return this.#states;
  }

  /** The input of this name, made where there is none yet. */
  input(name: string, type: TensorType): Value {
    return this.#named(this.#inputs, "input", name, type);
  }

  /** The state of this name, made where there is none yet. */
  state(name: string, type: TensorType): Value {
    return this.#named(this.#states, "state", name, type);
  }

  /** Makes a value an output, to be read after a run. */
  output(name: string, value: Value): void {
    this.#outputs.set(name, value);
  }

  /** Adds a node and returns its outputs. Throws `ShapeError` where the inputs do not fit. */
  readonly emit = <K extends OpName>(op: K, inputs: readonly Value[], attrs: AttrsOf<K>): Value[] => {
    const outputs = this.#infer(op, inputs, attrs)
      .map((type): Value => ({ ...type, id: this.#ids++, kind: "result", name: "" }));
    const node: Node<K> = { op, inputs, outputs, attrs, scope: this.scope, layer: this.layer };
    this.#nodes.push(node as unknown as Node);
    return outputs;
  };

  /** The graph so far. */
  finish(): Graph {
    return {
      nodes: [...this.#nodes],
      inputs: new Map(this.#inputs),
      states: new Map(this.#states),
      outputs: new Map(this.#outputs),
    };
  }

  #infer<K extends OpName>(op: K, inputs: readonly Value[], attrs: AttrsOf<K>): TensorType[] {
    try {
      return opOf(op).infer(inputs, attrs);
    } catch (error) {
      if (!(error instanceof Misfit)) throw error;
      const shapes = inputs.map(({ shape }) => formatShape(shape)).join(" and ");
      const cause = likelyCause(this.#nodes, op, inputs);
      const where = this.scope || "the network itself";
      throw new ShapeError(
        `${where}: ${op} of ${shapes}: ${error.message}${cause && `. Likely cause: ${cause}`}`,
      );
    }
  }

  #named(map: Map<string, Value>, kind: "input" | "state", name: string, type: TensorType): Value {
    const known = map.get(name);
    if (known) return known;
    const value: Value = { shape: type.shape, dtype: type.dtype, id: this.#ids++, kind, name };
    map.set(name, value);
    return value;
  }
}

/** All values of a graph, each once. */
function valuesOf(graph: Graph): Set<Value> {
  const values = new Set<Value>([...graph.inputs.values(), ...graph.states.values()]);
  for (const node of graph.nodes) for (const value of node.outputs) values.add(value);
  return values;
}
