/**
 * Optimisers' steps, and what surrounds them: an invocation updates four numbers of one parameter. Where loss or factor is not
 * finite, nothing changes. `hyper` changes from step to step, the learning rate first. Numbers: count, decay and rate (of
 * this parameter: the factor of the learning rate), and those of the optimiser.
 */

function update(statements: string): string {
  return `
@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32) {
  let i = group_index(group) * LANES + lane;
  let factor = read_factor(0u);
  if (i >= n.count || !is_finite(read_loss(0u)) || !is_finite(factor)) { return; }
  ${statements}
}
`;
}

/** p −= lr · (factor·g + decay·p) */
export const sgd = update(`
  let p = read_p(i);
  let g = factor * read_g(i) + n.decay * p;
  write_p(i, p - read_hyper(0u) * n.rate * g);
`);

/**
 * With g = factor·gradient + decay·p: b = momentum·b + (1 − dampening)·g, in the first step (hyper 1) b = g, whatever b was;
 * p −= lr · (nesterov ? g + momentum·b : b).
 */
export const sgdMomentum = update(`
  let p = read_p(i);
  let g = factor * read_g(i) + n.decay * p;
  var b = g;
  if (read_hyper(1u) == 0.0) { b = n.momentum * read_b(i) + n.share * g; }
  write_b(i, b);
  var direction = b;
  if (n.nesterov != 0u) { direction = g + n.momentum * b; }
  write_p(i, p - read_hyper(0u) * n.rate * direction);
`);

/**
 * With g = factor·gradient (+ decay·p, if the decay is coupled): m = β1·m + (1 − β1)·g, v = β2·v + (1 − β2)·g²,
 * p −= lr / c1 · m / (√v / √c2 + eps). Decoupled decay (shrink) first takes lr·decay·p off p. hyper: lr, c1, c2.
 */
export const adam = update(`
  let rate = read_hyper(0u) * n.rate;
  var p = read_p(i);
  let g = factor * read_g(i) + n.decay * p;
  p -= rate * n.shrink * p;
  let m = n.beta1 * read_m(i) + n.share1 * g;
  let v = n.beta2 * read_v(i) + n.share2 * (g * g);
  write_m(i, m);
  write_v(i, v);
  let scale = sqrt(v) / sqrt(read_hyper(2u)) + n.eps;
  write_p(i, p - rate / read_hyper(1u) * (m / scale));
`);

const rmspropStep = `
  let p = read_p(i);
  let g = factor * read_g(i) + n.decay * p;
  let v = n.alpha * read_v(i) + n.share * (g * g);
  write_v(i, v);
  var u = g / (sqrt(v) + n.eps);
`;

/** With g = factor·gradient + decay·p: v = alpha·v + (1 − alpha)·g², p −= lr · g / (√v + eps). */
export const rmsprop = update(`${rmspropStep}
  write_p(i, p - read_hyper(0u) * n.rate * u);
`);

/** The same with u = g / (√v + eps), b = momentum·b + u, p −= lr·b. */
export const rmspropMomentum = update(`${rmspropStep}
  u = n.momentum * read_b(i) + u;
  write_b(i, u);
  write_p(i, p - read_hyper(0u) * n.rate * u);
`);

/** sum = keep · sum + gradient; where keep (hyper) is 0, the sum before is not looked at. */
export const accumulate = update(`
  var g = read_g(i);
  if (read_hyper(0u) != 0.0) { g += read_hyper(0u) * read_p(i); }
  write_p(i, g);
`);

/** average += rate (hyper) · (value − average) */
export const ema = update(`
  let average = read_p(i);
  write_p(i, average + read_hyper(0u) * (read_g(i) - average));
`);

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
