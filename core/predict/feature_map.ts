/** Where a network still knows what is where: its last feature map. */
import type { Graph, Value } from "../graph/graph.ts";
import type { OpName } from "../ops/mod.ts";

const POOLS: readonly OpName[] = ["max_pool2d", "avg_pool2d", "adaptive_avg_pool2d"];

/**
 * The last value [N, C, H, W] of more than one pixel that convolutions made, that no pool made, and through which all goes
 * that leads from `from` to `to`: of residual networks the last sum's activation, of DenseNet its last norm's, of
 * Inception the branches side by side. Undefined where there is none.
 */
export function lastFeatureMap({ nodes }: Graph, from: Value, to: Value): Value | undefined {
  const on = between(nodes, from, to);
  const lastRead = new Map<Value, number>();
  nodes.forEach(({ inputs }, index) => inputs.forEach((input) => lastRead.set(input, index)));
  lastRead.set(to, nodes.length);
  let found: Value | undefined;
  let convolved = false;
  let waiting = new Set<Value>([from]);
  nodes.forEach(({ op, outputs }, index) => {
    for (const output of outputs) if (on.has(output)) waiting.add(output);
    waiting = new Set([...waiting].filter((value) => lastRead.get(value)! > index));
    const [only] = waiting;
    convolved ||= op === "conv2d";
    // A value beside which no other is still to be read is one that all goes through.
    if (waiting.size !== 1 || !outputs.includes(only!) || !convolved || POOLS.includes(op)) return;
    const [, , height = 1, width = 1] = only!.shape;
    if (only!.shape.length === 4 && height * width > 1) found = only;
  });
  return found;
}

/** Values that depend on `from` and on which `to` depends, with both. */
function between(nodes: Graph["nodes"], from: Value, to: Value): Set<Value> {
  const after = new Set([from]);
  for (const { inputs, outputs } of nodes) {
    if (inputs.some((input) => after.has(input))) outputs.forEach((output) => after.add(output));
  }
  const before = new Set([to]);
  for (const { inputs, outputs } of nodes.toReversed()) {
    if (outputs.some((output) => before.has(output))) inputs.forEach((input) => before.add(input));
  }
  return after.intersection(before);
}
