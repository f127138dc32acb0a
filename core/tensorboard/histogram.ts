/** How the numbers of a tensor are spread. */

export interface Histogram {
  readonly min: number;
  readonly max: number;
  readonly count: number;
  readonly sum: number;
  readonly sumOfSquares: number;
  /** The upper ends of the bins. */
  readonly limits: readonly number[];
  /** How many numbers are in each. */
  readonly counts: readonly number[];
}

const BINS = 48;

/** Bins of equal width from the least number to the greatest. There is at least one number, and all are finite. */
export function histogramOf(values: Float32Array): Histogram {
  let min = Infinity;
  let max = -Infinity;
  let sum = 0;
  let sumOfSquares = 0;
  for (let i = 0; i < values.length; i++) {
    const value = values[i]!;
    if (value < min) min = value;
    if (value > max) max = value;
    sum += value;
    sumOfSquares += value * value;
  }
  const rest = { min, max, count: values.length, sum, sumOfSquares };
  if (min === max) {
    // A bin with some width, which TensorBoard needs.
    const width = Math.abs(min) * 1e-6 || 1e-12;
    return { ...rest, limits: [min - width, min + width], counts: [0, values.length] };
  }
  const counts = new Array<number>(BINS).fill(0);
  const scale = BINS / (max - min);
  for (let i = 0; i < values.length; i++) {
    counts[Math.min(BINS - 1, Math.floor((values[i]! - min) * scale))]!++;
  }
  const limits = counts.map((_, i) => i === BINS - 1 ? max : min + (i + 1) / scale);
  return { ...rest, limits, counts };
}
