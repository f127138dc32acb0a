/**
 * Optimisers' steps, and what surrounds them, on many tensors at once: p is the parameter, g its gradient. Where loss or factor
 * is not finite, nothing changes. `hyper` changes from step to step, the learning rate first. Each parameter has its own decay
 * and rate (the factor of the learning rate); the numbers of the optimiser are the same for all.
 */
import { type ManyTensors, onMany } from "./many.ts";

/** Vectors of four numbers that a workgroup updates. */
export const UPDATE_STRETCH = 1024;

export interface Update extends Required<Pick<ManyTensors, "roles" | "own">> {
  readonly code: string;
}

function update(
  states: readonly string[],
  statements: string,
  own: readonly string[] = ["decay", "rate"],
): Update {
  const roles = ["p", "g", ...states];
  return {
    roles,
    own,
    code: onMany({
      roles,
      own,
      stretch: UPDATE_STRETCH,
      statements: `
  let factor = read_factor(0u);
  if (!is_finite(read_loss(0u)) || !is_finite(factor)) { return; }
  for (var i = first + lane; i < last; i += LANES) {
    ${statements}
  }`,
    }),
  };
}

/** p −= lr · (factor·g + decay·p) */
export const sgd = update(
  [],
  `
  let p = read_p(t.p + i);
  let g = factor * read_g(t.g + i) + t.decay * p;
  write_p(t.p + i, p - read_hyper(0u) * t.rate * g);
`,
);

/**
 * With g = factor·gradient + decay·p: b = momentum·b + (1 − dampening)·g, in the first step (hyper 1) b = g, whatever b was;
 * p −= lr · (nesterov ? g + momentum·b : b).
 */
export const sgdMomentum = update(
  ["b"],
  `
  let p = read_p(t.p + i);
  let g = factor * read_g(t.g + i) + t.decay * p;
  var b = g;
  if (read_hyper(1u) == 0.0) { b = n.momentum * read_b(t.b + i) + n.share * g; }
  write_b(t.b + i, b);
  var direction = b;
  if (n.nesterov != 0u) { direction = g + n.momentum * b; }
  write_p(t.p + i, p - read_hyper(0u) * t.rate * direction);
`,
);

/**
 * With g = factor·gradient (+ decay·p, if the decay is coupled): m = β1·m + (1 − β1)·g, v = β2·v + (1 − β2)·g²,
 * p −= lr / c1 · m / (√v / √c2 + eps). Decoupled decay (shrink) first takes lr·decay·p off p. hyper: lr, c1, c2.
 */
export const adam = update(
  ["m", "v"],
  `
  let rate = read_hyper(0u) * t.rate;
  var p = read_p(t.p + i);
  let g = factor * read_g(t.g + i) + t.decay * p;
  p -= rate * t.shrink * p;
  let m = n.beta1 * read_m(t.m + i) + n.share1 * g;
  let v = n.beta2 * read_v(t.v + i) + n.share2 * (g * g);
  write_m(t.m + i, m);
  write_v(t.v + i, v);
  let scale = sqrt(v) / sqrt(read_hyper(2u)) + n.eps;
  write_p(t.p + i, p - rate / read_hyper(1u) * (m / scale));
`,
  ["decay", "rate", "shrink"],
);

const rmspropStep = `
  let p = read_p(t.p + i);
  let g = factor * read_g(t.g + i) + t.decay * p;
  let v = n.alpha * read_v(t.v + i) + n.share * (g * g);
  write_v(t.v + i, v);
  var u = g / (sqrt(v) + n.eps);
`;

/** With g = factor·gradient + decay·p: v = alpha·v + (1 − alpha)·g², p −= lr · g / (√v + eps). */
export const rmsprop = update(
  ["v"],
  `${rmspropStep}
  write_p(t.p + i, p - read_hyper(0u) * t.rate * u);
`,
);

/** The same with u = g / (√v + eps), b = momentum·b + u, p −= lr·b. */
export const rmspropMomentum = update(
  ["v", "b"],
  `${rmspropStep}
  u = n.momentum * read_b(t.b + i) + u;
  write_b(t.b + i, u);
  write_p(t.p + i, p - read_hyper(0u) * t.rate * u);
`,
);

/** sum = keep · sum + gradient; where keep (hyper) is 0, the sum before is not looked at. */
export const accumulate = update(
  [],
  `
  var g = read_g(t.g + i);
  if (read_hyper(0u) != 0.0) { g += read_hyper(0u) * read_p(t.p + i); }
  write_p(t.p + i, g);
`,
  [],
);

/** average += rate (hyper) · (value − average) */
export const ema = update(
  [],
  `
  let average = read_p(t.p + i);
  write_p(t.p + i, average + read_hyper(0u) * (read_g(t.g + i) - average));
`,
  [],
);

/** y = x while all x were finite, else NaN, which `failed` remembers. One invocation. */
export const latch = `
@compute @workgroup_size(1)
fn main() {
  let x = read_x(0u);
  let fails = read_failed(0u) != 0.0 || !is_finite(x);
  write_failed(0u, select(0.0, 1.0, fails));
  write_y(0u, select(x, not_a_number(), fails));
}
`;
