/** A few images to learn by heart: whether a network can learn at all. */
import { UserError } from "../errors.ts";
import { permutation } from "../random.ts";
import type { DatasetSplit, ImageSet } from "./dataset.ts";

/** Trains and tests on the same `count` training images, chosen by the seed and shown as an evaluation shows them. */
export function overfitTo<Split extends DatasetSplit<ImageSet>>(data: Split, count: number, seed: number) {
  const all = data.train.count;
  if (count > all) {
    throw new UserError(
      `--overfit-batches: ${count} images are needed, and ${data.train.name} has ${all} training images`,
    );
  }
  const few = data.train.pick(permutation(all, seed, 0).slice(0, count)) as ReturnType<
    Split["train"]["pick"]
  >;
  return { ...data, train: few, test: few };
}
