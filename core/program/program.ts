/** A program: what a backend runs. Calls, in order, on buffers whose addresses the plan decides. */
import type { Graph, Node, Value } from "../graph/graph.ts";

/** Memory that one node's kernels use among themselves; `id` is unique in its program. */
export interface Scratch {
  readonly id: number;
  readonly bytes: number;
}

/** A 32-bit argument of a CPU kernel: an integer, a number, an address, or the address of a table of more words. */
export type Word =
  | number
  | { readonly f32: number }
  | { readonly value: Value; readonly offset?: number }
  | { readonly scratch: Scratch; readonly offset?: number }
  | { readonly table: readonly Word[] };

/** What a backend calls, with what, and the node for which it does. */
export interface Call {
  readonly kernel: string;
  readonly node: Node;
}

/** A call of a CPU kernel. */
export interface KernelCall extends Call {
  readonly args: readonly Word[];
}

export interface Program<C extends Call = KernelCall> {
  readonly graph: Graph;
  readonly calls: readonly C[];
  /** Scratch of each node that has some. */
  readonly scratch: ReadonlyMap<Node, readonly Scratch[]>;
  /** Values that share the memory of another, under another shape. */
  readonly aliases: ReadonlyMap<Value, Value>;
}
