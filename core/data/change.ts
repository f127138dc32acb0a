/** Images that go into a batch other than they are kept: what the op `image_batch` can't do on its way. */
import { stream } from "../random.ts";
import type { Moment } from "./dataset.ts";
import { type Image, withChannels } from "./transforms/image.ts";
import { applyTransforms, type Transform } from "./transforms/mod.ts";

export interface ImageChange {
  /** So many channels it becomes, before its transforms. */
  readonly channels: number;
  readonly transforms: readonly Transform[];
  /** What random transforms depend on; undefined where there are none. */
  readonly at: Moment | undefined;
}

/** Bytes `[height, width, channels]` of the image, which is the data set's `sample`. */
export function changeImage(
  image: Image,
  sample: number,
  { channels, transforms, at }: ImageChange,
): Uint8Array {
  const changed = applyTransforms(withChannels(image, channels), transforms, (purpose) => {
    return stream(at!.seed, purpose, at!.epoch, sample);
  });
  return changed.data;
}

/** Longer than this nobody should have to wait for the thread. */
const TURN_MILLISECONDS = 2;

/**
 * Does something for each index, and lets others have the thread in between: a run that ends meanwhile is noticed, and what is
 * left is known as time that it waited for.
 */
export async function inTurns(count: number, work: (index: number) => void): Promise<void> {
  let began = performance.now();
  for (let index = 0; index < count; index++) {
    work(index);
    if (performance.now() - began < TURN_MILLISECONDS) continue;
    await nextTurn();
    began = performance.now();
  }
}

/** A message to oneself comes sooner than a timer. */
function nextTurn(): Promise<void> {
  return new Promise((resolve) => {
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () => {
      port1.close();
      resolve();
    };
    port2.postMessage(undefined);
  });
}
