/**
 * Elementary functions, four at a time, within about two units in the last place.
 * Arguments are reduced as Cody and Waite (1980) do it; the polynomials for exp, log and tanh are those of the Cephes library.
 */

/** log₂ e */
const LOG2E: f32 = 1.44269504088896341;
/** ln 2 in two parts; the first has so few bits that its product with a small integer is exact. */
const LN2_HIGH: f32 = 0.693359375;
const LN2_LOW: f32 = -2.12194440e-4;

/** 2ⁿ for integers −126 … 127 */
function powerOf2(n: v128): v128 {
  return i32x4.shl(i32x4.add(n, i32x4.splat(127)), 23);
}

/** e^x: 0 below −104, infinite above 88.8. */
export function exp(x: v128): v128 {
  // pmin and pmax in this order let NaN pass.
  const bounded = f32x4.pmax(f32x4.pmin(x, f32x4.splat(89)), f32x4.splat(-104));
  const n = f32x4.nearest(f32x4.mul(bounded, f32x4.splat(LOG2E)));
  let r = f32x4.relaxed_nmadd(n, f32x4.splat(LN2_HIGH), bounded);
  r = f32x4.relaxed_nmadd(n, f32x4.splat(LN2_LOW), r);
  let p = f32x4.splat(1.9875691500e-4);
  p = f32x4.relaxed_madd(p, r, f32x4.splat(1.3981999507e-3));
  p = f32x4.relaxed_madd(p, r, f32x4.splat(8.3334519073e-3));
  p = f32x4.relaxed_madd(p, r, f32x4.splat(4.1665795894e-2));
  p = f32x4.relaxed_madd(p, r, f32x4.splat(1.6666665459e-1));
  p = f32x4.relaxed_madd(p, r, f32x4.splat(5.0000001201e-1));
  const power = f32x4.add(f32x4.relaxed_madd(f32x4.mul(r, r), p, r), f32x4.splat(1));
  // Scaling in two steps reaches both ends: 2¹²⁸ has no float, and the smallest results are subnormal.
  const exponent = i32x4.relaxed_trunc_f32x4_s(n);
  const half = i32x4.shr_s(exponent, 1);
  return f32x4.mul(f32x4.mul(power, powerOf2(half)), powerOf2(i32x4.sub(exponent, half)));
}

/** ln x for normal x > 0; NaN for infinity and NaN. */
export function log(x: v128): v128 {
  // x = m · 2ⁿ with √½ ≤ m < √2
  const n = i32x4.shr_s(i32x4.sub(x, i32x4.splat(0x3F3504F3)), 23);
  const t = f32x4.sub(i32x4.sub(x, i32x4.shl(n, 23)), f32x4.splat(1));
  const exponent = f32x4.convert_i32x4_s(n);
  const square = f32x4.mul(t, t);
  let p = f32x4.splat(7.0376836292e-2);
  p = f32x4.relaxed_madd(p, t, f32x4.splat(-1.1514610310e-1));
  p = f32x4.relaxed_madd(p, t, f32x4.splat(1.1676998740e-1));
  p = f32x4.relaxed_madd(p, t, f32x4.splat(-1.2420140846e-1));
  p = f32x4.relaxed_madd(p, t, f32x4.splat(1.4249322787e-1));
  p = f32x4.relaxed_madd(p, t, f32x4.splat(-1.6668057665e-1));
  p = f32x4.relaxed_madd(p, t, f32x4.splat(2.0000714765e-1));
  p = f32x4.relaxed_madd(p, t, f32x4.splat(-2.4999993993e-1));
  p = f32x4.relaxed_madd(p, t, f32x4.splat(3.3333331174e-1));
  let tail = f32x4.mul(f32x4.mul(p, t), square);
  tail = f32x4.relaxed_madd(exponent, f32x4.splat(LN2_LOW), tail);
  tail = f32x4.relaxed_nmadd(square, f32x4.splat(0.5), tail);
  const sum = f32x4.relaxed_madd(exponent, f32x4.splat(LN2_HIGH), f32x4.add(t, tail));
  return f32x4.add(sum, f32x4.sub(x, x));
}

/** 1 / (1 + e^−x) */
export function sigmoid(x: v128): v128 {
  const one = f32x4.splat(1);
  return f32x4.div(one, f32x4.add(one, exp(f32x4.neg(x))));
}

/** x + x³ · P(x²) near 0, elsewhere 1 − 2 / (e^2|x| + 1) with the sign of x. */
export function tanh(x: v128): v128 {
  const one = f32x4.splat(1), magnitude = f32x4.abs(x), square = f32x4.mul(x, x);
  let p = f32x4.splat(-5.70498872745e-3);
  p = f32x4.relaxed_madd(p, square, f32x4.splat(2.06390887954e-2));
  p = f32x4.relaxed_madd(p, square, f32x4.splat(-5.37397155531e-2));
  p = f32x4.relaxed_madd(p, square, f32x4.splat(1.33314422036e-1));
  p = f32x4.relaxed_madd(p, square, f32x4.splat(-3.33332819422e-1));
  const near = f32x4.relaxed_madd(f32x4.mul(p, square), x, x);
  const power = exp(f32x4.add(magnitude, magnitude));
  const far = f32x4.sub(one, f32x4.div(f32x4.splat(2), f32x4.add(power, one)));
  const signed = v128.bitselect(x, far, i32x4.splat(0x80000000));
  return v128.bitselect(near, signed, f32x4.lt(magnitude, f32x4.splat(0.625)));
}

/** sin(2π · turns) for 0 ≤ turns < 2, within 1e-7. */
export function sineOfTurns(turns: v128): v128 {
  // To −½ … ½ turn, then by symmetry to −¼ … ¼, where the Taylor series is short.
  const half = f32x4.sub(turns, f32x4.nearest(turns));
  const folded = f32x4.min(f32x4.abs(half), f32x4.sub(f32x4.splat(0.5), f32x4.abs(half)));
  const angle = f32x4.mul(folded, f32x4.splat(6.283185307179586));
  const square = f32x4.mul(angle, angle);
  let p = f32x4.splat(-1.0 / 39916800);
  p = f32x4.relaxed_madd(p, square, f32x4.splat(1.0 / 362880));
  p = f32x4.relaxed_madd(p, square, f32x4.splat(-1.0 / 5040));
  p = f32x4.relaxed_madd(p, square, f32x4.splat(1.0 / 120));
  p = f32x4.relaxed_madd(p, square, f32x4.splat(-1.0 / 6));
  const sine = f32x4.relaxed_madd(f32x4.mul(square, angle), p, angle);
  return v128.bitselect(half, sine, i32x4.splat(0x80000000));
}
