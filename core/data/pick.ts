import type { Dataset } from "./dataset.ts";

/** `pick` of a data set whose images are of one class each. */
export function pickClassified(dataset: Dataset, indices: Uint32Array): Dataset {
  const { nameOf, tenCrop } = dataset;
  const picked: Dataset = {
    ...dataset,
    ...nameOf ? { nameOf: (index: number) => nameOf(indices[index]!) } : {},
    ...tenCrop ? { tenCrop: (index: number) => pickClassified(tenCrop(index), indices) } : {},
    count: indices.length,
    labels: Uint16Array.from(indices, (index) => dataset.labels[index]!),
    fill: (batch, samples) => dataset.fill(batch, samples.map((sample) => indices[sample]!), undefined),
    pick: (more) => pickClassified(picked, more),
  };
  return picked;
}
