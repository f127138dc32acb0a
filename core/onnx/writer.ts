import type { Value } from "../graph/graph.ts";
import type { Shape } from "../shape.ts";
import {
  type AttributeProto,
  attributeTypes,
  elementTypes,
  type NodeProto,
  type TensorProto,
} from "./schema.ts";

/** A float is `{ f: … }`; a number is an integer. */
export type Attributes = Readonly<
  Record<string, number | readonly number[] | { readonly f: number } | { readonly t: TensorProto }>
>;

/** Gathers the nodes and constants of an ONNX graph. */
export class OnnxWriter {
  readonly nodes: NodeProto[] = [];
  readonly initializers: TensorProto[] = [];
  /** What values are called in the file. */
  readonly names = new Map<Value, string>();
  readonly #taken = new Set<string>(["input", "logits"]);

  /** @param dynamic the axes of values whose extents grow with the batch */
  constructor(readonly dynamic: ReadonlyMap<Value, ReadonlySet<number>>) {}

  nameOf(value: Value): string {
    return this.names.get(value)!;
  }

  initializer(value: Value, data: Float32Array): void {
    this.#taken.add(value.name);
    this.names.set(value, value.name);
    this.initializers.push(tensorOf(value.name, value.shape, data));
  }

  /** Returns the constant's name, which is `name` or begins with it. */
  constant(name: string, shape: Shape, data: Float32Array | BigInt64Array): string {
    const free = this.#free(name);
    this.initializers.push(tensorOf(free, shape, data));
    return free;
  }

  /** A list of integers, as operators take them where older ones had attributes. */
  integers(name: string, values: readonly number[]): string {
    return this.constant(name, [values.length], BigInt64Array.from(values, BigInt));
  }

  /** Adds an operator; returns the names of its outputs. */
  node(opType: string, name: string, input: readonly string[], attributes: Attributes = {}): string[] {
    const output = [this.#free(name)];
    const attribute = Object.entries(attributes).map(([name, value]) => attributeOf(name, value));
    this.nodes.push({ opType, name: output[0]!, input: [...input], output, attribute });
    return output;
  }

  /** Gives a result its name in the interface. */
  rename(value: Value, name: string): void {
    const old = this.nameOf(value);
    for (const node of this.nodes) {
      node.input = node.input.map((input) => input === old ? name : input);
      node.output = node.output.map((output) => output === old ? name : output);
    }
    this.names.set(value, name);
  }

  #free(name: string): string {
    let free = name;
    for (let i = 1; this.#taken.has(free); i++) free = `${name}_${i}`;
    this.#taken.add(free);
    return free;
  }
}

/** A tensor in a file, as little-endian bytes. */
export function tensorOf(name: string, shape: Shape, data: Float32Array | BigInt64Array): TensorProto {
  return {
    name,
    dims: [...shape],
    dataType: data instanceof Float32Array ? elementTypes.F32 : elementTypes.I64,
    rawData: new Uint8Array(data.buffer, data.byteOffset, data.byteLength),
  };
}

function attributeOf(name: string, value: Attributes[string]): AttributeProto {
  if (typeof value === "number") return { name, i: value, type: attributeTypes.INT };
  if ("f" in value) return { name, f: value.f, type: attributeTypes.FLOAT };
  if ("t" in value) return { name, t: value.t, type: attributeTypes.TENSOR };
  return { name, ints: [...value], type: attributeTypes.INTS };
}
