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

/** For the parameter after an optimiser's step. */
export function updateTolerance(scale: number): number {
  return FLOOR * ULP * scale;
}

/** PyTorch's own float32 errors on a whole network. */
export interface Float32Errors {
  /** Largest error of the logits, relative to the largest logit. */
  readonly logits_eval_rel: number;
  readonly logits_train_rel: number;
  readonly loss_abs: number;
  /** Largest relative error of a parameter's gradient norm. */
  readonly grad_norm_rel: number;
  /** PyTorch's own float32 losses of the steps that the reference took in float64. */
  readonly sgd_losses: readonly number[] | null;
}

/** A tolerance, and PyTorch's error where there is one to show beside it. */
export interface Limit {
  readonly tolerance: number;
  readonly torch?: number;
}

/** Units in the last place that the results of a whole network may always be off, after dozens of layers. */
const FLOOR_NETWORK = 16;

/** Tolerances for the numbers of one whole network. */
export function networkTolerances(torch: Float32Errors) {
  const logits = (relative: number) => (scale: number): Limit => ({
    tolerance: Math.max(MULTIPLE * relative, FLOOR_NETWORK * ULP) * scale,
    torch: relative * scale,
  });
  const forward = Math.max(MULTIPLE * torch.logits_train_rel, FLOOR_NETWORK * ULP);
  const backward = Math.max(MULTIPLE * torch.grad_norm_rel, forward);
  return {
    logits_eval: logits(torch.logits_eval_rel),
    logits_train: logits(torch.logits_train_rel),
    loss: (loss: number): Limit => ({
      tolerance: Math.max(MULTIPLE * torch.loss_abs, FLOOR_NETWORK * ULP * loss),
      torch: torch.loss_abs,
    }),
    /** Running statistics are as exact as the activations they are taken from. */
    buffer: (scale: number): Limit => ({ tolerance: forward * scale }),
    /** [norm, sum, entries] of a gradient of `count` numbers. */
    gradient: ([norm = 0]: readonly number[], count: number, largest: number): [Limit, Limit, Limit] => {
      const noise = FLOOR_NETWORK * ULP * largest;
      return [
        { tolerance: backward * norm + noise, torch: torch.grad_norm_rel * norm },
        { tolerance: Math.sqrt(count) * (backward * norm + noise) },
        { tolerance: backward * norm + noise },
      ];
    },
    /** Each step multiplies the error of the last; PyTorch's largest deviation so far says how much there is. */
    sgd: (expected: readonly number[]): Limit[] => {
      let deviation = 0;
      return expected.map((loss, step) => {
        const own = Math.abs((torch.sgd_losses?.[step] ?? loss) - loss);
        deviation = Math.max(deviation, own);
        return { tolerance: Math.max(MULTIPLE * deviation, FLOOR_NETWORK * ULP * loss), torch: own };
      });
    },
  };
}
