/** Changes images between where they are kept and a batch, where that is more than the op `image_batch` can do. */
import { stream } from "../random.ts";
import type { Moment } from "./dataset.ts";
import { type Image, withChannels } from "./transforms/image.ts";
import { applyTransforms, type Transform } from "./transforms/mod.ts";

/** Plain data, which can be sent to a worker. */
export interface ImageChange {
  /** As they are kept. */
  readonly images: readonly Image[];
  /** Which of the data set each is. */
  readonly samples: readonly number[];
  /** Channels that they get, before their transforms. */
  readonly channels: number;
  readonly transforms: readonly Transform[];
  /** What random transforms depend on; undefined where there are none. */
  readonly at: Moment | undefined;
}

/** Bytes `[N, height, width, channels]` of the changed images. */
export type ChangeImages = (change: ImageChange) => Uint8Array | Promise<Uint8Array>;

/** Changes them here and now. */
export function changeImages(
  { images, samples, channels, transforms, at }: ImageChange,
): Uint8Array<ArrayBuffer> {
  const changed = images.map((image, i) =>
    applyTransforms(withChannels(image, channels), transforms, (purpose) => {
      return stream(at!.seed, purpose, at!.epoch, samples[i]!);
    }).data
  );
  const all = new Uint8Array(changed.reduce((sum, { length }) => sum + length, 0));
  let place = 0;
  for (const data of changed) {
    all.set(data, place);
    place += data.length;
  }
  return all;
}
