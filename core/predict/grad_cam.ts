/**
 * Grad-CAM: where a network looks for a class (Selvaraju et al. 2017, https://arxiv.org/abs/1610.02391). With A the last
 * feature map and y the score of the class: max(0, Σₖ aₖ Aₖ), aₖ the mean over pixels of ∂y/∂Aₖ.
 */
import { UserError } from "../errors.ts";
import { GraphBuilder } from "../graph/builder.ts";
import { gradient } from "../graph/gradient.ts";
import { f32, type Graph } from "../graph/graph.ts";
import type { Module } from "../nn/module.ts";
import type { BatchShape } from "../train/graphs.ts";
import { scoresGraph } from "./graphs.ts";
import { lastFeatureMap } from "./feature_map.ts";

/**
 * Inputs: those of `scoresGraph`, and `seed` [N, classes], 1 for the class of each image that is asked for and 0
 * elsewhere. Outputs: `features` and `gradient`, both [N, C, H, W]. Throws where the network has no feature map.
 */
export function gradCamGraph(model: Module, images: BatchShape): Graph {
  const forward = scoresGraph(model, images);
  const scores = forward.outputs.get("scores")!;
  const map = lastFeatureMap(forward, forward.inputs.get("pixels")!, scores);
  if (!map) {
    throw new UserError("--explain: the network has no feature map of more than one pixel to look at");
  }
  const builder = GraphBuilder.extend(forward);
  const seed = builder.input("seed", f32(scores.shape));
  builder.output("features", map);
  builder.output("gradient", gradient(builder, scores, seed, [map]).get(map)!);
  return builder.finish();
}

/** How much each pixel of a feature map speaks for a class. */
export interface Activation {
  readonly height: number;
  readonly width: number;
  /** `[height, width]`, 0 … 1; all 0 where nothing speaks for the class. */
  readonly values: Float32Array;
}

/** Of one image: `features` and `gradient` are [C, H, W]. */
export function classActivation(
  features: ArrayLike<number>,
  gradient: ArrayLike<number>,
  [channels, height, width]: readonly [number, number, number],
): Activation {
  const pixels = height * width;
  const sums = new Float64Array(pixels);
  for (let channel = 0; channel < channels; channel++) {
    const start = channel * pixels;
    let weight = 0;
    for (let i = 0; i < pixels; i++) weight += gradient[start + i]! / pixels;
    for (let i = 0; i < pixels; i++) sums[i]! += weight * features[start + i]!;
  }
  const most = sums.reduce((a, b) => Math.max(a, b), 0);
  const values = Float32Array.from(sums, (sum) => most > 0 ? Math.max(0, sum) / most : 0);
  return { height, width, values };
}
