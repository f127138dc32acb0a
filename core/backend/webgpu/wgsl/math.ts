/**
 * Elementary functions within about two units in the last place, where WGSL's own may be off by many (its `sin` by 2⁻¹¹).
 * The formulas are those of the CPU's kernels (assembly/exp.ts). WGSL itself allows 2.5 units for a division and a root,
 * and results that are subnormal may be 0.
 */

/** `power_of_2(n)` for whole n in −126 … 127; `exp_of(x)`: 0 below −104, infinite above 88.8, NaN of NaN. */
export const exp = `
fn power_of_2(whole: i32) -> f32 {
  return bitcast<f32>((whole + 127) << 23u);
}

fn exp_of(x: f32) -> f32 {
  if (is_nan(x)) { return x; }
  let bounded = clamp(x, -104.0, 89.0);
  let whole = round(bounded * 1.44269504088896341);
  // ln 2 in two parts; the first has so few bits that its product with a small integer is exact.
  let r = (bounded - whole * 0.693359375) + whole * 2.12194440e-4;
  var p = 1.9875691500e-4;
  p = p * r + 1.3981999507e-3;
  p = p * r + 8.3334519073e-3;
  p = p * r + 4.1665795894e-2;
  p = p * r + 1.6666665459e-1;
  p = p * r + 5.0000001201e-1;
  let power = (r * r * p + r) + 1.0;
  // Scaling in two steps reaches both ends: 2¹²⁸ has no float, and the smallest results are subnormal.
  let exponent = i32(whole);
  let half = exponent >> 1u;
  return power * power_of_2(half) * power_of_2(exponent - half);
}
`;

/** `log_of(x)` for normal x > 0; NaN of infinity and NaN. */
export const log = `
fn log_of(x: f32) -> f32 {
  if (!is_finite(x)) { return not_a_number(); }
  // x = m · 2ⁿ with √½ ≤ m < √2
  let bits = bitcast<i32>(x);
  let whole = (bits - 0x3f3504f3) >> 23u;
  let t = bitcast<f32>(bits - (whole << 23u)) - 1.0;
  let square = t * t;
  let exponent = f32(whole);
  var p = 7.0376836292e-2;
  p = p * t - 1.1514610310e-1;
  p = p * t + 1.1676998740e-1;
  p = p * t - 1.2420140846e-1;
  p = p * t + 1.4249322787e-1;
  p = p * t - 1.6668057665e-1;
  p = p * t + 2.0000714765e-1;
  p = p * t - 2.4999993993e-1;
  p = p * t + 3.3333331174e-1;
  let tail = (p * t * square - 2.12194440e-4 * exponent) - 0.5 * square;
  return (t + tail) + 0.693359375 * exponent;
}
`;

/** `sigmoid_of(x)` = 1 / (1 + e^−x); needs `exp`. */
export const sigmoid = `
fn sigmoid_of(x: f32) -> f32 {
  // Below −88 the result is subnormal, and no infinity is divided by; NaN is not below.
  return 1.0 / (1.0 + exp_of(select(-x, 88.0, x < -88.0)));
}
`;

/** `tanh_of(x)`: x + x³ · P(x²) near 0, elsewhere 1 − 2 / (e^2|x| + 1) with the sign of x; needs `exp`. */
export const tanh = `
fn tanh_of(x: f32) -> f32 {
  if (is_nan(x)) { return x; }
  let magnitude = abs(x);
  if (magnitude < 0.625) {
    let square = x * x;
    var p = -5.70498872745e-3;
    p = p * square + 2.06390887954e-2;
    p = p * square - 5.37397155531e-2;
    p = p * square + 1.33314422036e-1;
    p = p * square - 3.33332819422e-1;
    return p * square * x + x;
  }
  // Beyond 10 it is 1, and no infinity is divided by.
  let far = 1.0 - 2.0 / (exp_of(2.0 * min(magnitude, 10.0)) + 1.0);
  return select(far, -far, x < 0.0);
}
`;

/** `sine_of_turns(turns)` = sin(2π · turns) for 0 ≤ turns < 2, within 1e-7. */
export const sine = `
fn sine_of_turns(turns: f32) -> f32 {
  // To −½ … ½ turn, then by symmetry to −¼ … ¼, where the Taylor series is short.
  let half = turns - round(turns);
  let angle = min(abs(half), 0.5 - abs(half)) * 6.283185307179586;
  let square = angle * angle;
  var p = -1.0 / 39916800.0;
  p = p * square + 1.0 / 362880.0;
  p = p * square - 1.0 / 5040.0;
  p = p * square + 1.0 / 120.0;
  p = p * square - 1.0 / 6.0;
  let sine = square * angle * p + angle;
  return select(sine, -sine, half < 0.0);
}
`;
