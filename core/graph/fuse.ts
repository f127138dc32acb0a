/**
 * Fusion: a graph that computes the same with fewer passes over memory. Backends fuse what they compile; summaries and
 * pictures show graphs as they were written.
 */
import type { Graph } from "./graph.ts";
import { fuseEpilogues } from "./fuse_epilogues.ts";
import { fuseNormGradients } from "./fuse_norm_gradients.ts";

export function fuse(graph: Graph): Graph {
  // In this order: what a norm's gradient computes again, no epilogue has to keep.
  return fuseEpilogues(fuseNormGradients(graph));
}
