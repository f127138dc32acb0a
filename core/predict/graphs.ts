/** Graphs for images without labels: their scores, and what the scores of a class depend on. */
import type { BatchShape } from "../train/graphs.ts";
import { gradient } from "../graph/gradient.ts";
import { f32, type Graph, i32, type Value } from "../graph/graph.ts";
import type { Module } from "../nn/module.ts";
import { scoresOf } from "../nn/output.ts";
import { Tracer } from "../nn/trace.ts";
import type { OpName } from "../ops/mod.ts";

/** Scores a batch. Inputs: `pixels`, `moves`, as op image_batch has them. Output: `scores`. */
export function scoreGraph(model: Module, images: BatchShape): Graph {
  const tracer = new Tracer(model, { training: false });
  const scores = score(tracer, model, images);
  tracer.builder.output("scores", scores);
  return tracer.builder.finish();
}

/**
 * What Grad-CAM needs. Inputs: `pixels`, `moves`, and `seed` f32 [N, classes], 1 at the class that is explained. Outputs:
 * `features` [N, C, h, w], the last feature map, and `gradient`, that of the class's score with respect to it. Undefined
 * where the network has no feature map of more than one pixel.
 */
export function camGraph(model: Module, images: BatchShape): Graph | undefined {
  const tracer = new Tracer(model, { training: false });
  const { builder } = tracer;
  const scores = score(tracer, model, images);
  const features = lastFeatures(builder.nodes.slice(1));
  if (!features) return undefined;
  const seed = builder.input("seed", f32(scores.shape));
  const found = gradient(builder, scores, seed, [features]).get(features);
  if (!found) return undefined;
  builder.output("features", features);
  builder.output("gradient", found);
  return builder.finish();
}

/** Their outputs only gather what feature maps already say. */
const GATHER: readonly OpName[] = ["max_pool2d", "avg_pool2d", "adaptive_avg_pool2d"];

/** The last one of more than one pixel: what the last convolution made, with the norms, sums and activations after it. */
function lastFeatures(nodes: Graph["nodes"]): Value | undefined {
  return nodes.findLast(({ op, outputs: [output] }) => {
    const [, , height = 1, width = 1] = output!.shape;
    return output!.shape.length === 4 && height * width > 1 && !GATHER.includes(op);
  })?.outputs[0];
}

function score(tracer: Tracer, model: Module, images: BatchShape): Value {
  const { batch, height, width, channels, mean, std } = images;
  const pixels = tracer.input("pixels", { shape: [batch, height, width, channels], dtype: "u8" });
  const moves = tracer.input("moves", i32([batch, 3]));
  const x = tracer.apply("image_batch", [pixels.value, moves.value], { mean, std, crop: [height, width] });
  return scoresOf(model.forward(x)).value;
}
