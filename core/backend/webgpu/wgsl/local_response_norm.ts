/**
 * Local response normalisation, an invocation a number. A window of `size` channels begins size / 2 before its own channel.
 * Numbers: count, channels, size, factor = alpha / size, beta, k.
 */
import * as math from "./math.ts";

/** `inverse_power(t)` = t^−beta; AlexNet's beta of 0.75 takes square roots alone. */
function inversePower(beta: number): string {
  const body = beta === 0.75
    ? "let root = sqrt(t);\n  return 1.0 / (root * sqrt(root));"
    : "return exp_of(-n.beta * log_of(t));";
  return `${beta === 0.75 ? "" : math.exp + math.log}
fn inverse_power(t: f32) -> f32 {
  ${body}
}

/** k + factor · Σ x² over the window of channel c in the row that begins at start. */
fn base_of(start: u32, c: u32) -> f32 {
  let first = i32(c) - i32(n.size / 2u);
  var sum = 0.0;
  for (var other = max(first, 0); other < min(first + i32(n.size), i32(n.channels)); other++) {
    let x = read_x(start + u32(other));
    sum += x * x;
  }
  return sum * n.factor + n.k;
}
`;
}

/** For `elements`: y = x · t^−beta with t = k + factor · Σ x² over the window. */
export function localResponseNorm(beta: number) {
  return {
    helpers: inversePower(beta),
    formula: "read_x(i) * inverse_power(base_of(i - i % n.channels, i % n.channels))",
  };
}

/**
 * For `elements`: dx = dy · t^−beta − 2 · factor · beta · x · Σ dy · x · t^(−beta−1), the sum over the channels whose windows
 * hold this one: the window mirrored.
 */
export function localResponseNormGrad(beta: number) {
  return {
    helpers: `${inversePower(beta)}
fn dx_at(i: u32) -> f32 {
  let c = i % n.channels;
  let start = i - c;
  let first = i32(c) - i32((n.size - 1u) / 2u);
  var sum = 0.0;
  for (var other = max(first, 0); other < min(first + i32(n.size), i32(n.channels)); other++) {
    let at = start + u32(other);
    let t = base_of(start, u32(other));
    sum += read_dy(at) * read_x(at) * (inverse_power(t) / t);
  }
  return read_dy(i) * inverse_power(base_of(start, c)) - 2.0 * n.factor * n.beta * read_x(i) * sum;
}
`,
    formula: "dx_at(i)",
  };
}
