/** Whether a classifier is right as often as it says. */
import { answerOf, type Predictions } from "./predictions.ts";

export interface CalibrationBin {
  readonly count: number;
  /** Means over the bin, 0 … 1. */
  readonly confidence: number;
  readonly accuracy: number;
}

export interface Calibration {
  /** Of equal width, by the confidence of the likeliest class; empty bins are left out. */
  readonly bins: readonly CalibrationBin[];
  /** Expected calibration error (Guo et al. 2017): Σ share of the bin · |accuracy − confidence|. */
  readonly error: number;
}

const BINS = 15;

export function calibrate(predictions: Predictions): Calibration {
  const bins = Array.from({ length: BINS }, () => ({ count: 0, confidence: 0, right: 0 }));
  for (let i = 0; i < predictions.count; i++) {
    const { predicted, confidence } = answerOf(predictions, i);
    const bin = bins[Math.min(BINS - 1, Math.max(0, Math.ceil(confidence * BINS) - 1))]!;
    bin.count++;
    bin.confidence += confidence;
    if (predicted === predictions.targets[i]) bin.right++;
  }
  const filled = bins.filter(({ count }) => count > 0);
  const error = filled.reduce((sum, { confidence, right }) => sum + Math.abs(right - confidence), 0);
  return {
    bins: filled.map(({ count, confidence, right }) => ({
      count,
      confidence: confidence / count,
      accuracy: right / count,
    })),
    error: error / predictions.count,
  };
}
