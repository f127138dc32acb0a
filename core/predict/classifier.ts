/** A network that is ready to answer, a batch of images at a time. */
import type { Backend } from "../backend/backend.ts";
import { MOVES } from "../data/batches.ts";
import { softmax } from "../metrics/predictions.ts";
import { loadStateDict, type MatchedStateDict } from "../nn/match_state_dict.ts";
import type { Module } from "../nn/module.ts";
import type { BatchShape } from "../train/graphs.ts";
import { type Evidence, gradCam } from "./grad_cam.ts";
import { camGraph, scoreGraph } from "./graphs.ts";

export interface Classifier {
  /** How many classes the network tells apart. */
  readonly classes: number;
  /** Of a batch `[N, height, width, channels]`: the probabilities of all classes, for each image. */
  probabilities(pixels: Uint8Array): Promise<Float32Array[]>;
  /** Grad-CAM of one class for each image; undefined where the network has no feature map of more than one pixel. */
  readonly explain: ((pixels: Uint8Array, classes: readonly number[]) => Promise<Evidence[]>) | undefined;
}

/** Throws `OutOfMemory`, or `ShapeError` where network and images do not fit. */
export function createClassifier(
  backend: Backend,
  model: Module,
  images: BatchShape,
  weights: MatchedStateDict,
): Classifier {
  const { batch } = images;
  const scores = scoreGraph(model, images);
  const cam = camGraph(model, images);
  const session = backend.compile({ scores, ...cam ? { cam } : {} });
  loadStateDict(session, weights);
  const classes = scores.outputs.get("scores")!.shape[1]!;
  const moves = new Int32Array(batch * MOVES);
  const show = (graph: string, pixels: Uint8Array) => {
    session.write(graph, "pixels", pixels);
    session.write(graph, "moves", moves);
  };
  const parts = (values: Float32Array) => {
    const size = values.length / batch;
    return Array.from({ length: batch }, (_, slot) => values.subarray(slot * size, (slot + 1) * size));
  };
  return {
    classes,
    async probabilities(pixels) {
      show("scores", pixels);
      await session.run("scores");
      return parts(await session.read("scores", "scores") as Float32Array).map((values) => softmax(values));
    },
    explain: cam && (async (pixels, wanted) => {
      show("cam", pixels);
      const seed = new Float32Array(batch * classes);
      wanted.forEach((index, slot) => seed[slot * classes + index] = 1);
      session.write("cam", "seed", seed);
      await session.run("cam");
      const features = parts(await session.read("cam", "features") as Float32Array);
      const gradients = parts(await session.read("cam", "gradient") as Float32Array);
      const [, , height, width] = cam.outputs.get("features")!.shape as [number, number, number, number];
      return features.map((own, slot) => ({
        height,
        width,
        map: gradCam(own, gradients[slot]!, height * width),
      }));
    }),
  };
}
