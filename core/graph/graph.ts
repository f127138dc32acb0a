/**
 * The graph: what a network does, as data. Nodes are ops on values, in an order in which they can run.
 * Everything between a model and a backend (gradients, memory plans, summaries, exports) is a function over this.
 */
import type { AttrsOf, OpName } from "../ops/mod.ts";
import type { Shape } from "../shape.ts";

/** float32, int32, and bytes 0 … 255. */
export type DType = "f32" | "i32" | "u8";

/** What shape inference knows of a value. */
export interface TensorType {
  readonly shape: Shape;
  readonly dtype: DType;
}

/** A tensor of a graph. It has a shape and a type but no numbers: a session has those. */
export interface Value extends TensorType {
  /** Unique in its graph, in order of creation. */
  readonly id: number;
  /**
   * `input`: written from outside before each run. `state`: kept between runs and shared by name between graphs
   * (parameters, running statistics, optimiser state). `result`: made by a node.
   */
  readonly kind: "input" | "state" | "result";
  /** An input's or state's name (a parameter's is its state_dict key); empty for results. */
  readonly name: string;
}

/** One op on its inputs. */
export interface Node<K extends OpName = OpName> {
  readonly op: K;
  readonly inputs: readonly Value[];
  readonly outputs: readonly Value[];
  /** What the op is told besides, such as a stride: see its file in core/ops. */
  readonly attrs: AttrsOf<K>;
  /** Path of the module that asked for the op, such as `layer1.0.conv2`. */
  readonly scope: string;
  /** Class of that module, such as `Conv2d`; empty for ops called outside a layer. */
  readonly layer: string;
}

/** A whole computation. */
export interface Graph {
  /** In an order in which they can run. */
  readonly nodes: readonly Node[];
  readonly inputs: ReadonlyMap<string, Value>;
  readonly states: ReadonlyMap<string, Value>;
  /** What a run is for: values that can be read after it. */
  readonly outputs: ReadonlyMap<string, Value>;
}

/** The type of a float32 tensor. */
export function f32(shape: Shape): TensorType {
  return { shape, dtype: "f32" };
}

/** The type of an int32 tensor. */
export function i32(shape: Shape): TensorType {
  return { shape, dtype: "i32" };
}

/** Bytes that one element takes. */
export const bytesPerElement: Record<DType, number> = { f32: 4, i32: 4, u8: 1 };
