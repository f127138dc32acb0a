/** Optimisers' steps, each on all of its parameters at once, and what surrounds them. */
import type { Value } from "../../../graph/graph.ts";
import type { UpdateAttrs } from "../../../ops/update.ts";
import { sizeOf } from "../../../shape.ts";
import { type Constant, elementBytes, float, reads, updates, writes } from "../kernel.ts";
import { type Role, workgroupsOf } from "../many.ts";
import { clipFactor, SQUARE_STRETCH, squareSums } from "../wgsl/norm_of_gradients.ts";
import * as kernels from "../wgsl/update.ts";
import type { Lower, Lowering } from "./lowering.ts";

interface Numbers {
  /** Of all parameters. */
  readonly all?: Readonly<Record<string, Constant>>;
  /** Of parameter i, those that the kernel calls its own. */
  readonly own?: (i: number) => Readonly<Record<string, Constant>>;
}

/** The kernel on all sets of parameter, gradient and states, which follow the three inputs that all share. */
function onAll(
  lower: Lower,
  kernel: string,
  { roles, own, code }: kernels.Update,
  inputs: readonly Value[],
  numbers: Numbers = {},
): void {
  const [hyper, loss, factor, ...values] = inputs;
  const stride = roles.length;
  lower.addMany({
    kernel,
    code,
    buffers: { hyper: reads(hyper), loss: reads(loss), factor: reads(factor) },
    numbers: numbers.all ?? {},
    roles: Object.fromEntries(
      roles.map((role): [string, Role] => [role, { element: "vec4f", reads: true, writes: role !== "g" }]),
    ),
    sets: Array.from({ length: values.length / stride }, (_, i) => {
      const items = values.slice(i * stride, (i + 1) * stride), of = numbers.own?.(i) ?? {};
      return { items, bytes: 4 * sizeOf(items[0]!.shape), numbers: own.map((name) => of[name]!) };
    }),
    stretch: kernels.UPDATE_STRETCH * elementBytes.vec4f,
  });
}

const decayAndRate = ({ weightDecay, lrScale }: UpdateAttrs, i: number) => ({
  decay: float(weightDecay[i] ?? 0),
  rate: float(lrScale[i] ?? 1),
});

const sgd: Lowering<"sgd"> = (lower, { inputs, attrs }) => {
  const { momentum, dampening, nesterov } = attrs;
  const own = (i: number) => decayAndRate(attrs, i);
  if (momentum === 0) return onAll(lower, "sgd", kernels.sgd, inputs, { own });
  onAll(lower, "sgd_momentum", kernels.sgdMomentum, inputs, {
    own,
    all: { momentum: float(momentum), share: float(1 - dampening), nesterov: nesterov ? 1 : 0 },
  });
};

const adam: Lowering<"adam"> = (lower, { inputs, attrs }) => {
  const { beta1, beta2, eps, decoupled } = attrs;
  onAll(lower, "adam", kernels.adam, inputs, {
    own(i) {
      const { decay, rate } = decayAndRate(attrs, i);
      // Of the two decays one is 0.
      return decoupled ? { decay: float(0), rate, shrink: decay } : { decay, rate, shrink: float(0) };
    },
    all: {
      beta1: float(beta1),
      share1: float(1 - beta1),
      beta2: float(beta2),
      share2: float(1 - beta2),
      eps: float(eps),
    },
  });
};

const rmsprop: Lowering<"rmsprop"> = (lower, { inputs, attrs }) => {
  const { alpha, eps, momentum } = attrs;
  const numbers = {
    own: (i: number) => decayAndRate(attrs, i),
    all: { alpha: float(alpha), share: float(1 - alpha), eps: float(eps), momentum: float(momentum) },
  };
  if (momentum === 0) onAll(lower, "rmsprop", kernels.rmsprop, inputs, numbers);
  else onAll(lower, "rmsprop_momentum", kernels.rmspropMomentum, inputs, numbers);
};

const accumulate: Lowering<"accumulate"> = (lower, { inputs: [keep, loss, ...sums] }) => {
  // Nothing multiplies what is gathered: the loss, which has to be finite, stands in for the factor.
  onAll(lower, "accumulate", kernels.accumulate, [keep!, loss!, loss!, ...sums]);
};

const ema: Lowering<"ema"> = (lower, { inputs }) => {
  onAll(lower, "ema", kernels.ema, inputs);
};

const clip_grad_norm: Lowering<"clip_grad_norm"> = (lower, { inputs, outputs, attrs }) => {
  const [factor, ...gradients] = inputs, [clipped, norm] = outputs;
  const stretch = SQUARE_STRETCH * elementBytes.f32;
  const sizes = gradients.map(({ shape }) => 4 * sizeOf(shape));
  const count = sizes.reduce((sum, bytes) => sum + workgroupsOf(bytes, { stretch }, lower.binding), 0);
  const parts = lower.scratch(8 * Math.max(count, 1));
  lower.addMany({
    kernel: "square_sums",
    code: lower.reduceLanes + squareSums,
    buffers: {},
    numbers: {},
    roles: {
      g: { element: "f32", reads: true, writes: false },
      parts: { element: "f32", reads: false, writes: true, shared: true },
    },
    sets: gradients.map((gradient, i) => ({ items: [gradient, parts], bytes: sizes[i]!, numbers: [] })),
    stretch,
  });
  lower.add({
    kernel: "clip_factor",
    code: lower.reduceLanes + clipFactor,
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
