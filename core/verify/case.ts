/** A golden case: something that can be run, and comes out as a list of comparisons. */
import type { Backend } from "../backend/backend.ts";

export interface Case {
  readonly name: string;
  /** Throws `Missing` where the case asks for what Strata does not have. */
  run(backend: Backend): Promise<readonly Comparison[]>;
}

/** One result beside the truth. */
export interface Comparison {
  /** Which result: `y`, `grad_weight`, `sgd_losses[2]`, … */
  readonly what: string;
  /** Distance from the truth; NaN where there is none, which is never within tolerance. */
  readonly error: number;
  readonly tolerance: number;
  /** PyTorch's own float32 error, where the golden files give it. */
  readonly torch?: number;
}

/** Why a case cannot run: an op, a network or an option that does not exist. */
export class Missing extends Error {}

export type Outcome =
  | {
    readonly status: "ok" | "FAIL";
    readonly worst: Comparison;
    readonly comparisons: readonly Comparison[];
  }
  | { readonly status: "FAIL" | "missing"; readonly reason: string };

/** Runs a case. Nothing escapes: what goes wrong is the case's outcome. */
export async function outcomeOf(golden: Case, backend: Backend): Promise<Outcome> {
  try {
    return judge(await golden.run(backend));
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    return { status: error instanceof Missing ? "missing" : "FAIL", reason };
  }
}

/** A case is within tolerance when all its results are; its worst result is the one that comes nearest to the limit. */
export function judge(comparisons: readonly Comparison[]): Outcome {
  const [first, ...others] = comparisons;
  if (!first) return { status: "FAIL", reason: "the case compares nothing" };
  const worst = others.reduce((a, b) => strain(b) > strain(a) ? b : a, first);
  return { status: comparisons.every(within) ? "ok" : "FAIL", worst, comparisons };
}

/** Whether a result is within its tolerance; NaN never is. */
export function within({ error, tolerance }: Comparison): boolean {
  return error <= tolerance;
}

/** Error as a share of the tolerance; not finite where the result is not a number. */
function strain({ error, tolerance }: Comparison): number {
  if (Number.isNaN(error)) return Infinity;
  return error === 0 ? 0 : error / tolerance;
}

/** Largest distance of two arrays; NaN where a result is not a number or the counts differ. */
export function maxError(actual: ArrayLike<number>, expected: ArrayLike<number>): number {
  if (actual.length !== expected.length) return NaN;
  let worst = 0;
  for (let i = 0; i < expected.length; i++) {
    const error = Math.abs(actual[i]! - expected[i]!);
    if (!(error <= worst)) worst = error;
    if (Number.isNaN(worst)) return NaN;
  }
  return worst;
}

/** The largest absolute value; 0 of none. */
export function maxMagnitude(values: ArrayLike<number>): number {
  let largest = 0;
  for (let i = 0; i < values.length; i++) largest = Math.max(largest, Math.abs(values[i]!));
  return largest;
}
