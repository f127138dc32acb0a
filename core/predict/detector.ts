/** Asks a network what is where on images. */
import type { Backend, Session } from "../backend/backend.ts";
import type { Image } from "../data/transforms/image.ts";
import { resize } from "../data/transforms/resample.ts";
import { detect, type DetectOptions, SHOWN } from "../detect/detect.ts";
import type { Detection } from "../detect/detection.ts";
import type { DetectionModel } from "../detect/model.ts";
import type { BatchShape } from "../train/graphs.ts";
import { scoresGraph } from "./graphs.ts";

/** Which network, on what, and the size of the images that it takes. */
export interface DetectorOptions {
  readonly backend: Backend;
  readonly model: DetectionModel;
  readonly images: BatchShape;
}

/** Width and height in pixels. */
export interface Extent {
  readonly width: number;
  readonly height: number;
}

/** A detector, ready to be asked. */
export interface Detector {
  /** Write the weights into it, with `loadStateDict`. */
  readonly session: Session;
  /**
   * What is on each of at most a batch of images, highest score first. Images of another size than the network's are
   * stretched to it, as in training. Boxes are in pixels of the images, or of `sizes[i]`, where an image was made smaller
   * before.
   */
  detect(
    images: readonly Image[],
    options?: Partial<DetectOptions> & { readonly sizes?: readonly Extent[] },
  ): Promise<Detection[][]>;
}

/** Plans a detector and takes its memory. Throws `OutOfMemory`, or `ShapeError` where model and images do not fit. */
export function createDetector({ backend, model, images }: DetectorOptions): Detector {
  const { batch, height, width, channels } = images;
  const session = backend.compile({ map: scoresGraph(model, images) });
  const pixels = new Uint8Array(batch * height * width * channels);

  return {
    session,
    async detect(shown, { sizes = shown, ...options } = {}) {
      if (shown.length > batch) throw new RangeError(`${shown.length} images, at most ${batch} at once`);
      shown.forEach((image, slot) => {
        pixels.set(resize(image, [height, width]).data, slot * height * width * channels);
      });
      session.write("map", "pixels", pixels);
      session.write("map", "moves", new Int32Array(batch * 3));
      await session.run("map");
      const maps = await session.read("map", "scores");
      const numbers = maps.length / batch;
      return shown.map((_, slot) =>
        detect(maps.subarray(slot * numbers, (slot + 1) * numbers), model.map, sizes[slot]!, {
          ...SHOWN,
          ...options,
        })
      );
    },
  };
}
