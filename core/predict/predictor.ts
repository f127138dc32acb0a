/** Asks a network what is on images, and why. */
import type { Backend, Session } from "../backend/backend.ts";
import type { Image } from "../data/transforms/image.ts";
import type { Module } from "../nn/module.ts";
import { softmax } from "../metrics/predictions.ts";
import type { BatchShape } from "../train/graphs.ts";
import { type Activation, classActivation, gradCamGraph } from "./grad_cam.ts";
import { scoresGraph } from "./graphs.ts";

export interface PredictorOptions {
  readonly backend: Backend;
  readonly model: Module;
  readonly images: BatchShape;
  /** Whether `explain` will be asked for, which takes more memory. */
  readonly explain?: boolean;
}

export interface Predictor {
  /** For the weights to be written into. */
  readonly session: Session;
  /** The probability of each class, of at most a batch of images of the right size. */
  predict(images: readonly Image[]): Promise<Float32Array[]>;
  /** Where the network sees `classes[i]` on image i, by Grad-CAM. */
  explain(images: readonly Image[], classes: readonly number[]): Promise<Activation[]>;
}

/** Throws `OutOfMemory`, or `ShapeError` where model and images do not fit. */
export function createPredictor({ backend, model, images, explain }: PredictorOptions): Predictor {
  const graphs = {
    scores: scoresGraph(model, images),
    ...explain ? { explain: gradCamGraph(model, images) } : {},
  };
  const session = backend.compile(graphs);
  const classes = graphs.scores.outputs.get("scores")!.shape[1]!;
  const pixels = new Uint8Array(images.batch * images.height * images.width * images.channels);
  const unmoved = new Int32Array(images.batch * 3);

  function write(graph: string, shown: readonly Image[]): void {
    const size = pixels.length / images.batch;
    shown.forEach(({ data }, slot) => pixels.set(data, slot * size));
    session.write(graph, "pixels", pixels);
    session.write(graph, "moves", unmoved);
  }

  return {
    session,
    async predict(shown) {
      write("scores", shown);
      await session.run("scores");
      const scores = await session.read("scores", "scores");
      return shown.map((_, slot) => softmax(scores.subarray(slot * classes, (slot + 1) * classes)));
    },
    async explain(shown, wanted) {
      write("explain", shown);
      const seed = new Float32Array(images.batch * classes);
      shown.forEach((_, slot) => seed[slot * classes + wanted[slot]!] = 1);
      session.write("explain", "seed", seed);
      await session.run("explain");
      const [, ...shape] = graphs.explain!.outputs.get("features")!.shape as [number, number, number, number];
      const size = shape[0] * shape[1] * shape[2];
      const features = await session.read("explain", "features");
      const gradient = await session.read("explain", "gradient");
      return shown.map((_, slot) => {
        const part = [slot * size, (slot + 1) * size] as const;
        return classActivation(features.subarray(...part), gradient.subarray(...part), shape);
      });
    },
  };
}
