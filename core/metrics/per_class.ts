/** Precision, recall and F1 of each class, from a confusion matrix; as scikit-learn has them. */

/** All 0 … 1. */
export interface Scores {
  /** Of the images taken for the class, the share that are of it; 0 where there are none. */
  readonly precision: number;
  /** Of the images of the class, the share that are found; 0 where there are none. */
  readonly recall: number;
  /** Their harmonic mean: 2·precision·recall / (precision + recall). */
  readonly f1: number;
}

export interface ClassScores extends Scores {
  readonly name: string;
  /** Images of the class. */
  readonly support: number;
}

/** `matrix` is `[true, predicted]`, as `confusionMatrix` makes it. */
export function classScores(matrix: Uint32Array, names: readonly string[]): ClassScores[] {
  const n = names.length;
  return names.map((name, own) => {
    const right = matrix[own * n + own]!;
    let support = 0;
    let taken = 0;
    for (let other = 0; other < n; other++) {
      support += matrix[own * n + other]!;
      taken += matrix[other * n + own]!;
    }
    const precision = taken > 0 ? right / taken : 0;
    const recall = support > 0 ? right / support : 0;
    const f1 = support + taken > 0 ? 2 * right / (support + taken) : 0;
    return { name, precision, recall, f1, support };
  });
}

/** The mean over classes that have images, each counted alike. */
export function macroAverage(classes: readonly ClassScores[]): Scores {
  const present = classes.filter(({ support }) => support > 0);
  const mean = (of: keyof Scores) => present.reduce((sum, scores) => sum + scores[of], 0) / present.length;
  return { precision: mean("precision"), recall: mean("recall"), f1: mean("f1") };
}
