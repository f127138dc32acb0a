/**
 * How far from the truth a result may be.
 *
 * The truth is float64; Strata computes in float32, as does the PyTorch whose own error stands beside each result. Two
 * float32 implementations that add in different orders have errors of the same size but not the same errors, so a
 * result may be a small multiple of PyTorch's error away. That error can be 0 by luck (or because PyTorch only copied),
 * so there is a floor of a few units in the last place of the largest number in the result: sums round at the size of
 * what they pass through, not of what they end as. A wrong op is wrong in the first digits and far outside of both.
 */

/** What float32 rounds to, relative to the number: one unit in the last place. */
export const ULP = 2 ** -23;

/** How many times PyTorch's own error a result may be away. */
const MULTIPLE = 4;

/** Units in the last place that are always allowed. */
const FLOOR = 4;

/** The same where the file does not say how well PyTorch does, and the truth itself was computed in float32. */
const FLOOR_ALONE = 16;

/** For one array of an op. `scale` is the largest magnitude in the truth. */
export function opTolerance(scale: number, torch?: number): number {
  if (torch === undefined) return FLOOR_ALONE * ULP * scale;
  return Math.max(MULTIPLE * torch, FLOOR * ULP * scale);
}

/** Schedules are computed in float64 on both sides; PyTorch's take one step after another, which rounds every time. */
export function scheduleTolerance(scale: number): number {
  return 2 ** -40 * scale;
}
