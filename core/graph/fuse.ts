/**
 * Fusion: a graph that computes the same with fewer passes over memory. Backends fuse what they compile; summaries and
 * pictures show graphs as they were written.
 */
import type { Graph, Node } from "./graph.ts";
import { fuseEpilogues } from "./fuse_epilogues.ts";
import { fuseNormGradients } from "./fuse_norm_gradients.ts";
import { countUses } from "./uses.ts";

export function fuse(graph: Graph): Graph {
  // In this order: what a norm's gradient computes again need not be kept for an epilogue.
  return dropPlaces(fuseEpilogues(fuseNormGradients(graph)));
}

/** Max pools without a gradient need not say which places won. */
export function dropPlaces(graph: Graph): Graph {
  const uses = countUses(graph);
  const nodes = graph.nodes.map((node): Node =>
    node.op === "max_pool2d" && !uses.has(node.outputs[1]!)
      ? { ...node, outputs: node.outputs.slice(0, 1) }
      : node
  );
  return { ...graph, nodes };
}
