/**
 * Optimisers' steps. One node updates all parameters, so that a backend can do it in one pass over memory.
 * Inputs: `hyper f32 [8]`, `loss []`, then per parameter `parameter, gradient, state…` (as many states as `states` says).
 * Where the loss is not finite the step changes nothing, so that the cause can still be found.
 * `hyper` is written before each run, since it changes with the schedule: [lr, bias correction 1, bias correction 2, …].
 * `weightDecay[i]` and `lrScale[i]` belong to parameter i.
 */
import type { TensorType } from "../graph/graph.ts";
import { formatShape, sameShape } from "../shape.ts";
import { first, Misfit, type Op } from "./op.ts";

export interface UpdateAttrs {
  readonly weightDecay: readonly number[];
  readonly lrScale: readonly number[];
}

/** Index of the first parameter among the inputs. */
const FIRST = 2;

function update<Attrs extends UpdateAttrs>(states: (attrs: Attrs) => number): Op<Attrs> {
  return {
    infer(inputs, attrs) {
      const stride = 2 + states(attrs);
      if ((inputs.length - FIRST) % stride !== 0) throw new Misfit(`inputs must come in groups of ${stride}`);
      for (let i = FIRST; i < inputs.length; i++) {
        const parameter = first(inputs, i - ((i - FIRST) % stride)).shape;
        const other = first(inputs, i).shape;
        if (!sameShape(parameter, other)) {
          throw new Misfit(`${formatShape(other)} cannot update a parameter of ${formatShape(parameter)}`);
        }
      }
      return [];
    },
    mutates(inputs: readonly TensorType[], attrs) {
      const stride = 2 + states(attrs);
      return inputs.map((_, i) => i).filter((i) => i >= FIRST && (i - FIRST) % stride !== 1);
    },
  };
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
