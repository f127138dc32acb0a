/** Optimisers' steps, one kernel a parameter, and what surrounds them. */
import type { Value } from "../../../graph/graph.ts";
import type { UpdateAttrs } from "../../../ops/update.ts";
import { sizeOf } from "../../../shape.ts";
import {
  type Bound,
  type Constant,
  elementBytes,
  float,
  groupsFor,
  reads,
  updates,
  writes,
} from "../kernel.ts";
import { clipFactor, squareSums } from "../wgsl/norm_of_gradients.ts";
import * as kernels from "../wgsl/update.ts";
import type { Lower, Lowering } from "./lowering.ts";

interface Update {
  readonly kernel: string;
  readonly code: string;
  /** What the kernel calls the states of a parameter. */
  readonly states?: readonly string[];
  /** Of parameter i. */
  readonly numbers?: (i: number) => Readonly<Record<string, Constant>>;
}

/**
 * A kernel for each group of parameter, gradient and states behind the three inputs that all share; of what is larger than a
 * binding for each part, since so many buffers in several parts would be more than an adapter takes.
 */
function each(lower: Lower, inputs: readonly Value[], { kernel, code, states = [], numbers }: Update): void {
  const [hyper, loss, factor, ...values] = inputs;
  const stride = 2 + states.length;
  for (let i = 0; i < values.length / stride; i++) {
    const [p, g, ...own] = values.slice(i * stride, (i + 1) * stride);
    const all = Math.ceil(sizeOf(p!.shape) / 4), most = lower.binding / elementBytes.vec4f;
    for (let part = 0; part * most < all; part++) {
      const count = Math.min(most, all - part * most);
      const buffers: Record<string, Bound> = {
        hyper: reads(hyper),
        loss: reads(loss),
        factor: reads(factor),
        p: { ...updates(p, "vec4f"), part },
        g: { ...reads(g, "vec4f"), part },
      };
      states.forEach((name, place) => buffers[name] = { ...updates(own[place], "vec4f"), part });
      lower.add({ kernel, code, buffers, numbers: { count, ...numbers?.(i) }, groups: groupsFor(count) });
    }
  }
}

const decayAndRate = ({ weightDecay, lrScale }: UpdateAttrs, i: number) => ({
  decay: float(weightDecay[i] ?? 0),
  rate: float(lrScale[i] ?? 1),
});

const sgd: Lowering<"sgd"> = (lower, { inputs, attrs }) => {
  const { momentum, dampening, nesterov } = attrs;
  if (momentum === 0) {
    const numbers = (i: number) => decayAndRate(attrs, i);
    return each(lower, inputs, { kernel: "sgd", code: kernels.sgd, numbers });
  }
  each(lower, inputs, {
    kernel: "sgd_momentum",
    code: kernels.sgdMomentum,
    states: ["b"],
    numbers: (i) => ({
      ...decayAndRate(attrs, i),
      momentum: float(momentum),
      share: float(1 - dampening),
      nesterov: nesterov ? 1 : 0,
    }),
  });
};

const adam: Lowering<"adam"> = (lower, { inputs, attrs }) => {
  const { beta1, beta2, eps, decoupled } = attrs;
  each(lower, inputs, {
    kernel: "adam",
    code: kernels.adam,
    states: ["m", "v"],
    numbers: (i) => {
      const { decay, rate } = decayAndRate(attrs, i);
      // Of the two decays one is 0.
      const decays = decoupled ? { decay: float(0), shrink: decay } : { decay, shrink: float(0) };
      return {
        ...decays,
        rate,
        beta1: float(beta1),
        share1: float(1 - beta1),
        beta2: float(beta2),
        share2: float(1 - beta2),
        eps: float(eps),
      };
    },
  });
};

const rmsprop: Lowering<"rmsprop"> = (lower, { inputs, attrs }) => {
  const { alpha, eps, momentum } = attrs, plain = momentum === 0;
  each(lower, inputs, {
    kernel: plain ? "rmsprop" : "rmsprop_momentum",
    code: plain ? kernels.rmsprop : kernels.rmspropMomentum,
    states: plain ? ["v"] : ["v", "b"],
    numbers: (i) => ({
      ...decayAndRate(attrs, i),
      alpha: float(alpha),
      share: float(1 - alpha),
      eps: float(eps),
      momentum: float(momentum),
    }),
  });
};

const accumulate: Lowering<"accumulate"> = (lower, { inputs: [keep, loss, ...sums] }) => {
  // Nothing multiplies what is gathered: the loss, which has to be finite, stands in for the factor.
  each(lower, [keep!, loss!, loss!, ...sums], { kernel: "accumulate", code: kernels.accumulate });
};

const ema: Lowering<"ema"> = (lower, { inputs }) => {
  each(lower, inputs, { kernel: "ema", code: kernels.ema });
};

/** Numbers of a gradient that one workgroup squares. */
const STRETCH = 16384;

const clip_grad_norm: Lowering<"clip_grad_norm"> = (lower, { inputs, outputs, attrs }) => {
  const [factor, ...gradients] = inputs, [clipped, norm] = outputs;
  const sizes = gradients.map(({ shape }) => sizeOf(shape));
  const count = sizes.reduce((sum, size) => sum + Math.ceil(size / STRETCH), 0);
  const parts = lower.scratch(8 * Math.max(count, 1));
  let slot = 0;
  gradients.forEach((gradient, i) => {
    const groups = Math.ceil(sizes[i]! / STRETCH);
    lower.add({
      kernel: "square_sums",
      code: squareSums,
      buffers: { g: reads(gradient), parts: writes(parts) },
      numbers: { count: sizes[i]!, stretch: STRETCH, slot },
      groups,
    });
    slot += groups;
  });
  lower.add({
    kernel: "clip_factor",
    code: clipFactor,
    buffers: { parts: reads(parts), factor: reads(factor), y: writes(clipped), norm: writes(norm) },
    numbers: { count, limit: float(attrs.max_norm) },
    groups: 1,
  });
};

const latch: Lowering<"latch"> = (lower, { inputs: [failed, x], outputs: [y] }) => {
  lower.add({
    kernel: "latch",
    code: kernels.latch,
    buffers: { failed: updates(failed), x: reads(x), y: writes(y) },
    numbers: {},
    groups: 1,
  });
};

export const updateLowerings = { sgd, adam, rmsprop, accumulate, ema, clip_grad_norm, latch };
