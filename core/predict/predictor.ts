/** Asks a network what is on images, and why. */
import type { Backend, Session } from "../backend/backend.ts";
import type { Image } from "../data/transforms/image.ts";
import type { Module } from "../nn/module.ts";
import { softmax } from "../metrics/predictions.ts";
import { formatShape, sameShape, sizeOf } from "../shape.ts";
import type { BatchShape } from "../train/graphs.ts";
import { type Activation, classActivation, gradCamGraph } from "./grad_cam.ts";
import { scoresGraph } from "./graphs.ts";

/** Which network, on what, and on which images. */
export interface PredictorOptions {
  readonly backend: Backend;
  readonly model: Module;
  readonly images: BatchShape;
  /** Whether `explain` will be asked for, which takes more memory. */
  readonly explain?: boolean;
}

/** A classifier, ready to be asked. */
export interface Predictor {
  /** Write the weights into it, with `loadStateDict`. */
  readonly session: Session;
  /** The probabilities of the classes, for each of at most a batch of images. Throws `RangeError` where they do not fit. */
  predict(images: readonly Image[]): Promise<Float32Array[]>;
  /** Where the network sees `classes[i]` on image i, by Grad-CAM (Selvaraju et al. 2017); only with `explain`. */
  explain(images: readonly Image[], classes: readonly number[]): Promise<Activation[]>;
}

/**
 * Plans a predictor and takes its memory. Throws `OutOfMemory`, or `ShapeError` where model and images do not fit.
 *
 * ```ts
 * import assert from "node:assert/strict";
 * import { createWasmBackend } from "../backend/wasm/backend.ts";
 * import * as nn from "../nn/mod.ts";
 *
 * const backend = await createWasmBackend();
 * const model = new nn.Sequential(new nn.Flatten(), new nn.Linear(8 * 8 * 3, 2));
 * const images = { batch: 1, channels: 3, height: 8, width: 8, mean: [0.5, 0.5, 0.5], std: [0.25, 0.25, 0.25] };
 * const predictor = createPredictor({ backend, model, images });
 * // With weights: loadStateDict(predictor.session, matchStateDict(model, await parseStateDict(bytes, "net.pth")));
 *
 * const image = { width: 8, height: 8, channels: 3, data: new Uint8Array(8 * 8 * 3) };
 * const [probabilities] = await predictor.predict([image]);
 * assert.deepEqual([...probabilities!], [0.5, 0.5]); // All weights are 0.
 * backend.close();
 * ```
 */
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
    if (shown.length > images.batch) {
      throw new RangeError(`${shown.length} images, at most ${images.batch} at once`);
    }
    const shape = [images.height, images.width, images.channels];
    shown.forEach(({ height, width, channels, data }, slot) => {
      const own = [height, width, channels];
      if (!sameShape(own, shape)) {
        throw new RangeError(`image ${slot} is ${formatShape(own)}, the network takes ${formatShape(shape)}`);
      }
      pixels.set(data, slot * sizeOf(shape));
    });
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
