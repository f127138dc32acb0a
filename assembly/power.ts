/** Real powers of positive numbers, four at a time: e^(exponent · ln t) in f64, right to the last bit or so of f32. */

/** t^exponent of two f64 numbers. NaN gives NaN. */
function power2(t: v128, exponent: f64): v128 {
  // t = 2^whole · m with m between √½ and √2; adding the distance from √½ to 1 carries into the exponent where it must.
  const shifted = i64x2.add(t, i64x2.splat(0x3ff0000000000000 - 0x3fe6a09e667f3bcd));
  const biased = i64x2.shr_u(shifted, 52);
  const m = i64x2.sub(t, i64x2.shl(i64x2.sub(biased, i64x2.splat(1023)), 52));
  // An integer under the exponent of 2⁵² is that integer, on top of 2⁵².
  const whole = f64x2.sub(
    v128.or(biased, i64x2.splat(0x4330000000000000)),
    f64x2.splat(4503599627370496.0 + 1023.0),
  );

  // ln m = 2 atanh s, s = (m − 1) / (m + 1), |s| < 0.172: the series stops where it is below 1e-12.
  const s = f64x2.div(f64x2.sub(m, f64x2.splat(1)), f64x2.add(m, f64x2.splat(1)));
  const q = f64x2.mul(s, s);
  let series = f64x2.splat(2.0 / 13.0);
  series = f64x2.relaxed_madd(series, q, f64x2.splat(2.0 / 11.0));
  series = f64x2.relaxed_madd(series, q, f64x2.splat(2.0 / 9.0));
  series = f64x2.relaxed_madd(series, q, f64x2.splat(2.0 / 7.0));
  series = f64x2.relaxed_madd(series, q, f64x2.splat(2.0 / 5.0));
  series = f64x2.relaxed_madd(series, q, f64x2.splat(2.0 / 3.0));
  series = f64x2.relaxed_madd(series, q, f64x2.splat(2));
  const log2 = f64x2.relaxed_madd(f64x2.mul(series, s), f64x2.splat(1.4426950408889634), whole);

  // 2^z = 2^n · e^u, |u| < 0.347; beyond 2^±1000 an f32 is 0 or infinite anyway.
  let z = f64x2.mul(log2, f64x2.splat(exponent));
  z = f64x2.min(f64x2.max(z, f64x2.splat(-1000)), f64x2.splat(1000));
  const n = f64x2.nearest(z);
  const u = f64x2.mul(f64x2.sub(z, n), f64x2.splat(0.6931471805599453));
  let e = f64x2.splat(1.0 / 362880.0);
  e = f64x2.relaxed_madd(e, u, f64x2.splat(1.0 / 40320.0));
  e = f64x2.relaxed_madd(e, u, f64x2.splat(1.0 / 5040.0));
  e = f64x2.relaxed_madd(e, u, f64x2.splat(1.0 / 720.0));
  e = f64x2.relaxed_madd(e, u, f64x2.splat(1.0 / 120.0));
  e = f64x2.relaxed_madd(e, u, f64x2.splat(1.0 / 24.0));
  e = f64x2.relaxed_madd(e, u, f64x2.splat(1.0 / 6.0));
  e = f64x2.relaxed_madd(e, u, f64x2.splat(0.5));
  e = f64x2.relaxed_madd(e, u, f64x2.splat(1));
  e = f64x2.relaxed_madd(e, u, f64x2.splat(1));
  const scale = i64x2.shl(f64x2.add(n, f64x2.splat(4503599627370496.0 + 1023.0)), 52);
  return v128.bitselect(f64x2.mul(e, scale), t, f64x2.eq(t, t));
}

/** t^exponent of four f32 numbers t > 0. */
export function power(t: v128, exponent: f64): v128 {
  const low = power2(f64x2.promote_low_f32x4(t), exponent);
  const high = power2(
    f64x2.promote_low_f32x4(i8x16.shuffle(t, t, 8, 9, 10, 11, 12, 13, 14, 15, 8, 9, 10, 11, 12, 13, 14, 15)),
    exponent,
  );
  const lows = f32x4.demote_f64x2_zero(low), highs = f32x4.demote_f64x2_zero(high);
  return i8x16.shuffle(lows, highs, 0, 1, 2, 3, 4, 5, 6, 7, 16, 17, 18, 19, 20, 21, 22, 23);
}
