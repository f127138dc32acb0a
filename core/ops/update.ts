/**
 * Optimisers' steps, and what surrounds them. One node updates all parameters, so that a backend can do it in one pass
 * over memory. Inputs of an optimiser: `hyper f32 [8]`, `loss []`, `factor []`, then per parameter
 * `parameter, gradient, state…` (as many states as `states` says). Gradients are multiplied by `factor` first. Where loss
 * or factor is not finite the step changes nothing: then the cause can still be found, or more gradients be gathered.
 * `hyper` is written before each run, since it changes with the schedule: [lr, bias correction 1, bias correction 2, …].
 * `weightDecay[i]` and `lrScale[i]` belong to parameter i.
 */
import { f32, type TensorType } from "../graph/graph.ts";
import { formatShape, sameShape } from "../shape.ts";
import { first, Misfit, type Op } from "./op.ts";

export interface UpdateAttrs {
  readonly weightDecay: readonly number[];
  readonly lrScale: readonly number[];
}

/**
 * An op that first has `head` inputs of its own, then groups of values of equal shapes, of each of which it writes all but the
 * second.
 */
function onGroups<Attrs>(head: number, sizeOf: (attrs: Attrs) => number): Op<Attrs> {
  return {
    infer(inputs, attrs) {
      const stride = sizeOf(attrs);
      if (inputs.length < head || (inputs.length - head) % stride !== 0) {
        throw new Misfit(`inputs must come in groups of ${stride}, after ${head} others`);
      }
      for (let i = head; i < inputs.length; i++) {
        const parameter = first(inputs, i - ((i - head) % stride)).shape;
        const other = first(inputs, i).shape;
        if (!sameShape(parameter, other)) {
          throw new Misfit(`${formatShape(other)} cannot update a parameter of ${formatShape(parameter)}`);
        }
      }
      return [];
    },
    mutates(inputs: readonly TensorType[], attrs) {
      const stride = sizeOf(attrs);
      return inputs.map((_, i) => i).filter((i) => i >= head && (i - head) % stride !== 1);
    },
  };
}

function update<Attrs extends UpdateAttrs>(states: (attrs: Attrs) => number): Op<Attrs> {
  return onGroups(3, (attrs) => 2 + states(attrs));
}

export interface SgdAttrs extends UpdateAttrs {
  readonly momentum: number;
  readonly nesterov: boolean;
  readonly dampening: number;
}

/**
 * PyTorch's SGD. States: the momentum buffer, where momentum ≠ 0. With g = gradient + decay·p:
 * b = momentum·b + (1 − dampening)·g (b = g in the first step), p −= lr·(nesterov ? g + momentum·b : b).
 * hyper: [lr, first step ? 1 : 0].
 */
export const sgd: Op<SgdAttrs> = update(({ momentum }) => momentum === 0 ? 0 : 1);

export interface AdamAttrs extends UpdateAttrs {
  readonly beta1: number;
  readonly beta2: number;
  readonly eps: number;
  /** AdamW (Loshchilov & Hutter 2019): p −= lr·decay·p, instead of decay·p in the gradient. */
  readonly decoupled: boolean;
}

/**
 * Adam (Kingma & Ba 2015) and AdamW. States: m, v. m = β1·m + (1 − β1)·g, v = β2·v + (1 − β2)·g²,
 * p −= lr / c1 · m / (√v / √c2 + eps). hyper: [lr, c1 = 1 − β1ᵗ, c2 = 1 − β2ᵗ].
 */
export const adam: Op<AdamAttrs> = update(() => 2);

export interface RmspropAttrs extends UpdateAttrs {
  readonly alpha: number;
  readonly eps: number;
  readonly momentum: number;
}

/**
 * RMSprop as in PyTorch, not centred. States: v, then the momentum buffer b where momentum ≠ 0.
 * v = alpha·v + (1 − alpha)·g², u = g / (√v + eps), b = momentum·b + u, p −= lr·(momentum ? b : u). hyper: [lr].
 */
export const rmsprop: Op<RmspropAttrs> = update(({ momentum }) => momentum === 0 ? 1 : 2);

type None = Record<never, never>;

/**
 * `(keep [], loss [], sum, gradient, sum, gradient, …)`: sum = keep · sum + gradient. Where keep is 0 a new sum begins,
 * whatever was in the old one. Changes nothing where the loss is not finite.
 */
export const accumulate: Op<None> = onGroups(2, () => 2);

/**
 * Exponential moving averages: `(rate [], loss [], factor [], average, value, average, value, …)`:
 * average += rate · (value − average), whenever an optimiser with this loss and factor takes its step.
 */
export const ema: Op<None> = onGroups(3, () => 2);

/**
 * `(factor [], gradient, gradient, …) → factor [], norm []`: the norm of all gradients together as one vector, and
 * factor · min(1, max_norm / (norm + 10⁻⁶)), as PyTorch's clip_grad_norm_; NaN where the norm is not finite.
 */
export const clip_grad_norm: Op<{ readonly max_norm: number }> = {
  infer(_inputs, { max_norm }) {
    if (!(max_norm > 0)) throw new Misfit(`max_norm must be above 0, not ${max_norm}`);
    return [f32([]), f32([])];
  },
};

/**
 * `(failed [], x []) → y []`: x while every x so far was finite, NaN from the first on that is not; `failed`, 0 at the
 * beginning, remembers it as 1. As the loss of an update it stops all steps after the one that went wrong, also those
 * that were begun before anybody had read its loss.
 */
export const latch: Op<None> = {
  infer([failed, x]) {
    for (const type of [failed, x]) {
      if (!type || type.shape.length > 0) throw new Misfit("failed and x must be single numbers");
    }
    return [f32([])];
  },
  mutates: () => [0],
};
