/** A few images to learn by heart: whether a network can learn at all. */
import { UserError } from "../errors.ts";
import { permutation } from "../random.ts";
import { countOf, type Dataset, type DatasetSplit } from "./dataset.ts";

/** Trains and tests on the same `count` training images, chosen by the seed and shown as an evaluation shows them. */
export function overfitTo(data: DatasetSplit, count: number, seed: number): DatasetSplit {
  const all = countOf(data.train);
  if (count > all) {
    throw new UserError(
      `--overfit-batches: ${count} images are needed, and ${data.train.name} has ${all} training images`,
    );
  }
  const few = subset(data.train, permutation(all, seed, 0).slice(0, count));
  return { ...data, train: few, test: few };
}

/** The images at `indices`, in that order, as an evaluation shows them. */
function subset(dataset: Dataset, indices: Uint32Array): Dataset {
  const { nameOf } = dataset;
  return {
    ...dataset,
    ...nameOf ? { nameOf: (index: number) => nameOf(indices[index]!) } : {},
    labels: Uint16Array.from(indices, (index) => dataset.labels[index]!),
    fill: (batch, samples) => dataset.fill(batch, samples.map((sample) => indices[sample]!), undefined),
    contents: () => dataset.contents(),
  };
}
