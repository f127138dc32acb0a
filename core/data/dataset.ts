/** Labelled images in memory, all of one size. */
export interface Dataset {
  readonly name: string;
  readonly classes: readonly string[];
  readonly width: number;
  readonly height: number;
  readonly channels: number;
  /** `[N, height, width, channels]`: channels interleaved, as image files have them. */
  readonly images: Uint8Array;
  /** Index into `classes` of each image. */
  readonly labels: Uint8Array;
}

/** What is done to a data set's images on their way into a network; the moves only in training. */
export interface Transforms {
  /** Per channel, in units of the 0…1 image. */
  readonly mean: readonly number[];
  readonly std: readonly number[];
  /** RandomCrop to the image's own size, after this many black pixels were added on each side. */
  readonly padding: number;
  /** RandomHorizontalFlip with probability a half. */
  readonly flip: boolean;
}

/** A data set that is ready to train and test on. */
export interface DatasetSplit {
  readonly train: Dataset;
  readonly test: Dataset;
  readonly transforms: Transforms;
  /** What the user should know about where the data came from; usually empty. */
  readonly notes: readonly string[];
}

/** Number of images. */
export function countOf(dataset: Dataset): number {
  return dataset.labels.length;
}

/** Bytes of one image. */
export function imageBytes({ width, height, channels }: Dataset): number {
  return width * height * channels;
}

/** The images at `indices`, in that order. */
export function pick(dataset: Dataset, indices: readonly number[]): Dataset {
  const size = imageBytes(dataset);
  const images = new Uint8Array(indices.length * size);
  indices.forEach((index, i) =>
    images.set(dataset.images.subarray(index * size, (index + 1) * size), i * size)
  );
  return { ...dataset, images, labels: Uint8Array.from(indices, (index) => dataset.labels[index]!) };
}
