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
const MULTIPLE = 8;

/** Units in the last place that are always allowed. */
const FLOOR = 4;

/** The same where the file does not say how well PyTorch does, and the truth itself was computed in float32. */
const FLOOR_ALONE = 32;

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

/**
 * Relative error that is always allowed in the gradients of a whole network. They are no continuous function of the
 * activations: where a ReLU's input or the two largest of a max pool's window lie within rounding of each other, float32
 * may take the other branch than float64, and every gradient before that place jumps. On small batches PyTorch's own
 * float32 does so in most of the networks with batch norm, by 0.1 to 0.8 % of a gradient's norm; whether it happens in
 * a given network is luck.
 */
const KINK = 0.01;

/**
 * Units in the last place, of the network's largest gradient norm, that may remain of a gradient that is zero in truth.
 * A shift before a batch norm has such a one: the norm takes it away again.
 */
const FLOOR_CANCELLED = 64;

/**
 * What such a jump in the gradients does to the loss of the following steps, as a share of how far the loss has moved:
 * ResNet-34's, for one, is 0.04, 0.4 and 1 % off after one, two and three steps.
 */
const KINK_LOSS = 0.0025;

/** How much a deviation grows with each step. */
const GROWTH = 4;

/**
 * How many times PyTorch's deviation a loss may be away after a step. Up to three times is seen where nothing but one
 * unit in the last place of the input is changed.
 */
const MULTIPLE_STEPS = 4;

/** Tolerances for the numbers of one whole network. */
export function networkTolerances(torch: Float32Errors) {
  const floor = FLOOR_NETWORK * ULP;
  const logits = (relative: number) => (scale: number): Limit => ({
    tolerance: Math.max(MULTIPLE * relative, floor) * scale,
    torch: relative * scale,
  });
  const backward = Math.max(MULTIPLE * torch.grad_norm_rel, KINK);
  return {
    logits_eval: logits(torch.logits_eval_rel),
    logits_train: logits(torch.logits_train_rel),

    /** The loss moves with the logits, and may move as far as PyTorch's logits do. */
    loss: (loss: number, largestLogit: number): Limit => ({
      tolerance: Math.max(MULTIPLE * torch.loss_abs, torch.logits_train_rel * largestLogit, floor * loss),
      torch: torch.loss_abs,
    }),

    /** Running statistics are as exact as the activations they are taken from, whose deviation is `scale`. */
    buffer: (scale: number): Limit => ({
      tolerance: Math.max(MULTIPLE * torch.logits_train_rel, floor) * scale,
    }),

    /**
     * A gradient of norm ‖g‖ may be wrong by a vector of norm ε‖g‖. In the worst case all of that lies in one output
     * channel's `fanIn` numbers and has one sign: then an entry is wrong by ε‖g‖ / √fanIn, the sum by ε‖g‖ · √fanIn.
     */
    gradient(norm: number, largestNorm: number, fanIn: number): Record<"norm" | "sum" | "entries", Limit> {
      const cancelled = norm < ULP * largestNorm;
      const length = cancelled ? FLOOR_CANCELLED * ULP * largestNorm : backward * norm;
      return {
        norm: { tolerance: length, ...(cancelled ? {} : { torch: torch.grad_norm_rel * norm }) },
        sum: { tolerance: length * Math.max(4, Math.sqrt(fanIn)) },
        entries: { tolerance: length / Math.sqrt(fanIn) },
      };
    },

    /**
     * Losses of a few steps. The first follows from the same weights. After it each step multiplies the error of the
     * last: a change of one unit in the last place of Darknet-53's input gives losses between 0.05 and 0.11 after three
     * steps. How far that goes, PyTorch's deviations tell, at earlier steps and, shrunk, at later ones; that one of
     * them is small is luck. A kink that PyTorch did not meet is allowed for apart.
     */
    sgd(losses: readonly number[], largestLogit: number): Limit[] {
      const [start = 0] = losses;
      const own = losses.map((loss, step) => Math.abs((torch.sgd_losses?.[step] ?? loss) - loss));
      return losses.map((loss, step) => {
        if (step === 0) return this.loss(loss, largestLogit);
        const deviation = Math.max(...own.map((error, at) => error / GROWTH ** Math.max(0, at - step)));
        const way = Math.max(...losses.slice(0, step + 1).map((other) => Math.abs(start - other)));
        const kink = Math.min(KINK_LOSS * GROWTH ** (step - 1) * way, loss / 2);
        return { tolerance: Math.max(MULTIPLE_STEPS * deviation, kink), torch: own[step]! };
      });
    },
  };
}
