/** Precision against recall, and the one number that sums the curve up. */

/** What holds of all detections of at least this score. */
export interface CurvePoint {
  readonly score: number;
  readonly precision: number;
  readonly recall: number;
}

/** A point after each detection, highest score first. */
export function precisionRecall(
  judged: readonly { readonly score: number; readonly right: boolean }[],
  positives: number,
): CurvePoint[] {
  let right = 0;
  return judged.map((detection, index) => {
    if (detection.right) right++;
    return { score: detection.score, precision: right / (index + 1), recall: right / positives };
  });
}

/**
 * `area`: under the curve, with each precision raised to the highest that any greater recall has (VOC from 2010 on).
 * `11 points`: the mean of those precisions at recalls 0, 0.1, …, 1 (VOC 2007).
 */
export type AveragePrecisionMethod = "area" | "11 points";

/** Average precision, 0 … 1; undefined where there is nothing to find. */
export function averagePrecision(
  curve: readonly CurvePoint[],
  positives: number,
  method: AveragePrecisionMethod,
): number | undefined {
  if (positives === 0) return undefined;
  const highest = envelope(curve);
  if (method === "area") {
    return curve.reduce(
      (sum, { recall }, i) => sum + (recall - (curve[i - 1]?.recall ?? 0)) * highest[i]!,
      0,
    );
  }
  const precisionAt = (tenths: number) => {
    // Counted in whole objects, since 3 · 0.1 is more than 3 / 10.
    const place = curve.findIndex(({ recall }) => 10 * Math.round(recall * positives) >= tenths * positives);
    return place < 0 ? 0 : highest[place]!;
  };
  return Array.from({ length: 11 }, (_, tenths) => precisionAt(tenths)).reduce((sum, p) => sum + p, 0) / 11;
}

/** The highest precision from each point on. */
function envelope(curve: readonly CurvePoint[]): number[] {
  const highest = curve.map(({ precision }) => precision);
  for (let i = highest.length - 2; i >= 0; i--) highest[i] = Math.max(highest[i]!, highest[i + 1]!);
  return highest;
}
