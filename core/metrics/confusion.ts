/** Which classes are taken for which. */
import { answerOf, type Predictions } from "./predictions.ts";

/** `[true class, predicted class]`: how many images. */
export function confusionMatrix(predictions: Predictions, classes: number): Uint32Array {
  const matrix = new Uint32Array(classes * classes);
  for (let i = 0; i < predictions.count; i++) {
    matrix[predictions.targets[i]! * classes + answerOf(predictions, i).predicted]!++;
  }
  return matrix;
}

export interface Confusion {
  readonly actual: number;
  readonly predicted: number;
  readonly count: number;
}

/** The pairs of different classes that are confused most, at most `most` of them. */
export function worstConfusions(matrix: Uint32Array, classes: number, most: number): Confusion[] {
  const found: Confusion[] = [];
  matrix.forEach((count, i) => {
    const [actual, predicted] = [Math.floor(i / classes), i % classes];
    if (count > 0 && actual !== predicted) found.push({ actual, predicted, count });
  });
  return found.sort((a, b) => b.count - a.count).slice(0, most);
}
