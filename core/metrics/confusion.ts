/** How often each class was taken for which. */

/** `counts[true · classes + predicted]` */
export interface Confusion {
  readonly classes: number;
  readonly counts: Uint32Array;
}

export function createConfusion(classes: number): Confusion {
  return { classes, counts: new Uint32Array(classes * classes) };
}

/** Counts a batch: `scores` is `[N, classes]`; a target below 0 marks a sample that does not count. */
export function addToConfusion(
  { classes, counts }: Confusion,
  scores: ArrayLike<number>,
  targets: ArrayLike<number>,
): void {
  for (let i = 0; i < targets.length; i++) {
    const target = targets[i]!;
    if (target >= 0) counts[target * classes + highest(scores, i, classes)]!++;
  }
}

/** The class with the highest score of sample `row`; of equals the first. */
export function highest(scores: ArrayLike<number>, row: number, classes: number): number {
  let best = 0;
  for (let c = 1; c < classes; c++) if (scores[row * classes + c]! > scores[row * classes + best]!) best = c;
  return best;
}

/** The probability of class `chosen` of sample `row`: its softmax. */
export function probability(scores: ArrayLike<number>, row: number, classes: number, chosen: number): number {
  let sum = 0;
  const at = row * classes;
  for (let c = 0; c < classes; c++) sum += Math.exp(scores[at + c]! - scores[at + chosen]!);
  return 1 / sum;
}
