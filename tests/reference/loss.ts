/** Cross entropy and accuracy in float64, from their definitions. */

export interface Scores {
  readonly rows: number;
  readonly classes: number;
  readonly scores: ArrayLike<number>;
  readonly target: ArrayLike<number>;
}

/** Losses of the rows and their gradients to the scores, each row's for a gradient of 1 to its own loss. */
export function crossEntropy({ rows, classes, scores, target }: Scores, smoothing: number) {
  const losses: number[] = [], probabilities: number[] = [], grads: number[] = [];
  for (let row = 0; row < rows; row++) {
    const line = Array.from({ length: classes }, (_, i) => scores[row * classes + i]!);
    const most = Math.max(...line);
    const logSum = most + Math.log(line.reduce((sum, x) => sum + Math.exp(x - most), 0));
    const wanted = line.map((_, i) => (i === target[row] ? 1 - smoothing : 0) + smoothing / classes);
    losses.push(line.reduce((loss, x, i) => loss - wanted[i]! * (x - logSum), 0));
    line.forEach((x, i) => {
      probabilities.push(Math.exp(x - logSum));
      grads.push(Math.exp(x - logSum) - wanted[i]!);
    });
  }
  return { losses, probabilities, grads };
}

/** Rows whose target comes among the first k when classes are sorted by score, then by index. */
export function countCorrect({ rows, classes, scores, target }: Scores, k: number): number {
  let correct = 0;
  for (let row = 0; row < rows; row++) {
    const score = (i: number) => scores[row * classes + i]!;
    const order = Array.from({ length: classes }, (_, i) => i).sort((a, b) => score(b) - score(a) || a - b);
    if (order.slice(0, k).includes(target[row]!)) correct++;
  }
  return correct;
}
