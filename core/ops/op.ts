/** What an op is: its shapes, its gradient, its cost. Kernels belong to the backends. */
import type { TensorType, Value } from "../graph/graph.ts";
import { formatShape, type Shape } from "../shape.ts";
import type { AttrsOf, OpName } from "./mod.ts";

/** Adds a node to the graph under construction and returns its outputs. */
export type Emit = <K extends OpName>(op: K, inputs: readonly Value[], attrs: AttrsOf<K>) => Value[];

/** A node as its own op sees it. */
export interface Applied<Attrs> {
  readonly inputs: readonly Value[];
  readonly outputs: readonly Value[];
  readonly attrs: Attrs;
}

export interface Op<Attrs> {
  /** Types of the outputs. Throws `Misfit` where inputs and attributes do not fit together. */
  infer(inputs: readonly TensorType[], attrs: Attrs): TensorType[];
  /**
   * Gradients to the inputs, built from more ops. `grads[i]` is the gradient to output i, undefined where nothing
   * depends on it; `needs[i]` says whether the gradient to input i is wanted. Absent: the op has no gradient.
   */
  gradient?(
    emit: Emit,
    node: Applied<Attrs>,
    grads: readonly (Value | undefined)[],
    needs: readonly boolean[],
  ): (Value | undefined)[];
  /** Multiply-accumulates of one run; absent for ops without any worth counting. */
  macs?(inputs: readonly TensorType[], outputs: readonly TensorType[], attrs: Attrs): number;
  /** Which inputs the op writes: running statistics, and the parameters and state of an optimiser's step. */
  mutates?(inputs: readonly TensorType[], attrs: Attrs): readonly number[];
  /** Inputs whose memory output 0 may take over: it reads element i before it writes element i, and no later. */
  readonly inplace?: readonly number[];
}

/** Inputs and attributes that do not fit together. The graph builder adds where it happened. */
export class Misfit extends Error {}

/** The type of an input; throws `Misfit` where the node does without it. */
export function first(types: readonly TensorType[], index = 0): TensorType {
  const type = types[index];
  if (!type) throw new Misfit(`input ${index} is missing`);
  return type;
}

/** Throws `Misfit`, naming `what`, where a shape does not have `rank` axes. */
export function expectRank(shape: Shape, rank: number, what: string): void {
  if (shape.length !== rank) {
    throw new Misfit(`${what} must have ${rank} axes, not the ${shape.length} of ${formatShape(shape)}`);
  }
}

/** Throws `Misfit`, naming `what`, unless each of the values is a whole number of `least` or more. */
export function expectWhole(what: string, values: readonly number[], least: number): void {
  const wrong = values.find((value) => !Number.isInteger(value) || value < least);
  if (wrong !== undefined) {
    throw new Misfit(`${what} must be a whole number of ${least} or more, not ${wrong}`);
  }
}

/** The extent of an axis; throws `Misfit` where the shape has no such axis. */
export function at(shape: Shape, axis: number): number {
  const extent = shape[axis];
  if (extent === undefined) throw new Misfit(`there is no axis ${axis} in ${formatShape(shape)}`);
  return extent;
}

/** Asserts that a value exists; for gradients whose forward op always has it. */
export function known<T>(value: T | undefined): T {
  if (value === undefined) throw new Error("Strata is at fault: a value that must exist is missing");
  return value;
}

/** The same type in and out: activations and their kind. */
export function sameAsInput(inputs: readonly TensorType[]): TensorType[] {
  return [{ shape: first(inputs).shape, dtype: "f32" }];
}
