import type { Graph } from "../graph/graph.ts";
import type { Module } from "../nn/module.ts";
import { scoresOf } from "../nn/output.ts";
import { Tracer } from "../nn/trace.ts";
import { type BatchShape, imageInput } from "../train/graphs.ts";

/** Scores a batch of images. Inputs: `pixels`, `moves`. Output: `scores` [N, classes]. */
export function scoresGraph(model: Module, images: BatchShape): Graph {
  const tracer = new Tracer(model, { training: false });
  const scores = scoresOf(model.forward(imageInput(tracer, images)));
  tracer.builder.output("scores", scores.value);
  return tracer.builder.finish();
}
