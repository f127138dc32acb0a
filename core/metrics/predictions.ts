/** What a classifier answered: of each image its likeliest classes, which is all that the figures and pictures need. */

/** Likeliest classes that are kept of each image. */
const KEPT = 5;

/** Of `count` images, one after another; `k` numbers for each in `classes` and `probabilities`, the likeliest first. */
export interface Predictions {
  readonly count: number;
  readonly k: number;
  /** The right class of each image. */
  readonly targets: Int32Array;
  readonly classes: Int32Array;
  readonly probabilities: Float32Array;
  /** Which image of the data set each is: those that could not be decoded are left out. */
  readonly samples: Uint32Array;
}

export interface PredictionCollector {
  /** Adds an image by its scores, or anything that orders classes as they do and `softmax` was applied to. */
  add(sample: number, target: number, probabilities: Float32Array): void;
  /** Those so far, as views: valid until more are added. */
  finish(): Predictions;
}

/** Collects what is known of at most `most` images. */
export function collectPredictions(most: number, classes: number): PredictionCollector {
  const k = Math.min(KEPT, classes);
  const all = {
    targets: new Int32Array(most),
    samples: new Uint32Array(most),
    classes: new Int32Array(most * k),
    probabilities: new Float32Array(most * k),
  };
  let count = 0;
  return {
    add(sample, target, probabilities) {
      all.targets[count] = target;
      all.samples[count] = sample;
      topK(probabilities, k).forEach((index, rank) => {
        all.classes[count * k + rank] = index;
        all.probabilities[count * k + rank] = probabilities[index]!;
      });
      count++;
    },
    finish: () => ({
      count,
      k,
      targets: all.targets.subarray(0, count),
      samples: all.samples.subarray(0, count),
      classes: all.classes.subarray(0, count * k),
      probabilities: all.probabilities.subarray(0, count * k),
    }),
  };
}

/** Softmax of scores, into `target`: exp(s − max) / Σ exp(s − max). */
export function softmax(
  scores: ArrayLike<number>,
  target: Float32Array = new Float32Array(scores.length),
): Float32Array {
  let max = -Infinity;
  for (let i = 0; i < scores.length; i++) max = Math.max(max, scores[i]!);
  let sum = 0;
  for (let i = 0; i < scores.length; i++) sum += target[i] = Math.exp(scores[i]! - max);
  for (let i = 0; i < scores.length; i++) target[i]! /= sum;
  return target;
}

/** Indices of the k highest values, the highest first; of equal ones the lower index. */
export function topK(values: ArrayLike<number>, k: number): number[] {
  const top: number[] = [];
  for (let i = 0; i < values.length; i++) {
    const value = values[i]!;
    if (top.length === k && !(value > values[top[k - 1]!]!)) continue;
    let place = top.length;
    while (place > 0 && value > values[top[place - 1]!]!) place--;
    top.splice(place, 0, i);
    if (top.length > k) top.pop();
  }
  return top;
}

/** Share of images (0 … 1) whose right class is among the k likeliest, of at most as many as are kept. */
export function topAccuracy({ count, targets, classes, k: kept }: Predictions, k: number): number {
  let right = 0;
  for (let i = 0; i < count; i++) {
    const end = i * kept + Math.min(k, kept);
    for (let at = i * kept; at < end; at++) if (classes[at] === targets[i]) right++;
  }
  return right / count;
}

/** The likeliest class of an image, and how likely the network finds it. */
export function answerOf(
  { classes, probabilities, k }: Predictions,
  index: number,
): { readonly predicted: number; readonly confidence: number } {
  return { predicted: classes[index * k]!, confidence: probabilities[index * k]! };
}
