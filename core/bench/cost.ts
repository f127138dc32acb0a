/** What a node costs at the least, from shapes alone: arithmetic, and numbers that pass through memory. */
import type { Node } from "../graph/graph.ts";
import { type OpName, opOf } from "../ops/mod.ts";
import { bytesOf } from "../program/plan.ts";

/** Multiply-accumulates by the direct method; 0 of ops whose arithmetic is not worth counting. */
export function macsOf<K extends OpName>(node: Node<K>): number {
  return opOf(node.op).macs?.(node.inputs, node.outputs, node.attrs) ?? 0;
}

/**
 * Bytes of all inputs and outputs, each once; what is changed in place counts twice, since it is read and written. That
 * is what has to move where nothing is left in a cache from the op before.
 */
export function trafficOf<K extends OpName>(node: Node<K>): number {
  const changed = opOf(node.op).mutates?.(node.inputs, node.attrs) ?? [];
  const values = [...new Set(node.inputs), ...node.outputs, ...changed.map((index) => node.inputs[index]!)];
  return values.reduce((sum, value) => sum + bytesOf(value), 0);
}
