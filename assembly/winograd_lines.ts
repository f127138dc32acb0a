/**
 * Winograd's transforms along one axis, eight channels at a time (Lavin & Gray 2015, https://arxiv.org/abs/1509.09308).
 *
 * F(m, 3) gives m neighbouring outputs y = Aᵀ [(G g) ⊙ (Bᵀ d)] of a filter g of 3 with m + 2 products in the place of
 * 3m; d are the m + 2 inputs. Its matrices evaluate polynomials at points: F(2, 3) at 0, ±1, ∞; F(4, 3) at 0, ±a, ±b, ∞.
 * The usual a = 1, b = 2 is the least exact choice: with a = 3/4, b = 3/2 rounding errors are half as large. Being
 * symmetric, the points let the rows of +a and −a share their even and their odd part.
 *
 *     input    Bᵀ d     m + 2 → m + 2        filter        G g     3 → m + 2
 *     output   Aᵀ p     m + 2 → m            filterGrad    Gᵀ u    m + 2 → 3
 *     spread   A dy     m → m + 2            (the last two for the gradient to the filter)
 *
 * Every line reads eight floats at each address of a table of sources and writes eight at each of a table of targets:
 * entries are a step apart, and an offset is added to all. A table tells where a tile's pixels are, so that what is
 * outside the image can point at zeros.
 */

const A: f32 = 0.75, B: f32 = 1.5;

function plus(factor: f32, x: v128, y: v128): v128 {
  return f32x4.relaxed_madd(f32x4.splat(factor), x, y);
}

function minus(factor: f32, x: v128, y: v128): v128 {
  return f32x4.relaxed_nmadd(f32x4.splat(factor), x, y);
}

function times(factor: f32, x: v128): v128 {
  return f32x4.mul(f32x4.splat(factor), x);
}

function at(table: usize, step: usize, index: usize, offset: usize): usize {
  return load<usize>(table + index * step) + offset;
}

/** Writes eight floats. */
function put(to: usize, low: v128, high: v128): void {
  v128.store(to, low);
  v128.store(to, high, 16);
}

/** Bᵀ d of F(4, 3). */
export function input6(targets: usize, ts: usize, to: usize, sources: usize, ss: usize, from: usize): void {
  let s = at(sources, ss, 0, from);
  const d0 = v128.load(s), e0 = v128.load(s, 16);
  s = at(sources, ss, 1, from);
  const d1 = v128.load(s), e1 = v128.load(s, 16);
  s = at(sources, ss, 2, from);
  const d2 = v128.load(s), e2 = v128.load(s, 16);
  s = at(sources, ss, 3, from);
  const d3 = v128.load(s), e3 = v128.load(s, 16);
  s = at(sources, ss, 4, from);
  const d4 = v128.load(s), e4 = v128.load(s, 16);
  s = at(sources, ss, 5, from);
  const d5 = v128.load(s), e5 = v128.load(s, 16);
  put(
    at(targets, ts, 0, to),
    plus(A * A * B * B, d0, minus(A * A + B * B, d2, d4)),
    plus(A * A * B * B, e0, minus(A * A + B * B, e2, e4)),
  );
  put(
    at(targets, ts, 5, to),
    plus(A * A * B * B, d1, minus(A * A + B * B, d3, d5)),
    plus(A * A * B * B, e1, minus(A * A + B * B, e3, e5)),
  );
  let even = minus(B * B, d2, d4), even2 = minus(B * B, e2, e4);
  let odd = minus(B * B, d1, d3), odd2 = minus(B * B, e1, e3);
  put(at(targets, ts, 1, to), plus(A, odd, even), plus(A, odd2, even2));
  put(at(targets, ts, 2, to), minus(A, odd, even), minus(A, odd2, even2));
  even = minus(A * A, d2, d4), even2 = minus(A * A, e2, e4);
  odd = minus(A * A, d1, d3), odd2 = minus(A * A, e1, e3);
  put(at(targets, ts, 3, to), plus(B, odd, even), plus(B, odd2, even2));
  put(at(targets, ts, 4, to), minus(B, odd, even), minus(B, odd2, even2));
}

/** Aᵀ p of F(4, 3). */
export function output6(targets: usize, ts: usize, to: usize, sources: usize, ss: usize, from: usize): void {
  let s = at(sources, ss, 1, from), t = at(sources, ss, 2, from);
  let p = v128.load(s), p2 = v128.load(s, 16), q = v128.load(t), q2 = v128.load(t, 16);
  const evenA = f32x4.add(p, q), evenA2 = f32x4.add(p2, q2);
  const oddA = f32x4.sub(p, q), oddA2 = f32x4.sub(p2, q2);
  s = at(sources, ss, 3, from), t = at(sources, ss, 4, from);
  p = v128.load(s), p2 = v128.load(s, 16), q = v128.load(t), q2 = v128.load(t, 16);
  const evenB = f32x4.add(p, q), evenB2 = f32x4.add(p2, q2);
  const oddB = f32x4.sub(p, q), oddB2 = f32x4.sub(p2, q2);
  s = at(sources, ss, 0, from), t = at(sources, ss, 5, from);
  p = v128.load(s), p2 = v128.load(s, 16), q = v128.load(t), q2 = v128.load(t, 16);
  put(
    at(targets, ts, 0, to),
    f32x4.add(p, f32x4.add(evenA, evenB)),
    f32x4.add(p2, f32x4.add(evenA2, evenB2)),
  );
  put(at(targets, ts, 1, to), plus(A, oddA, times(B, oddB)), plus(A, oddA2, times(B, oddB2)));
  put(
    at(targets, ts, 2, to),
    plus(A * A, evenA, times(B * B, evenB)),
    plus(A * A, evenA2, times(B * B, evenB2)),
  );
  put(
    at(targets, ts, 3, to),
    plus(A * A * A, oddA, plus(B * B * B, oddB, q)),
    plus(A * A * A, oddA2, plus(B * B * B, oddB2, q2)),
  );
}

/** A dy of F(4, 3). */
export function spread6(targets: usize, ts: usize, to: usize, sources: usize, ss: usize, from: usize): void {
  let s = at(sources, ss, 0, from);
  const y0 = v128.load(s), z0 = v128.load(s, 16);
  s = at(sources, ss, 1, from);
  const y1 = v128.load(s), z1 = v128.load(s, 16);
  s = at(sources, ss, 2, from);
  const y2 = v128.load(s), z2 = v128.load(s, 16);
  s = at(sources, ss, 3, from);
  const y3 = v128.load(s), z3 = v128.load(s, 16);
  put(at(targets, ts, 0, to), y0, z0);
  put(at(targets, ts, 5, to), y3, z3);
  let even = plus(A * A, y2, y0), even2 = plus(A * A, z2, z0);
  let odd = plus(A * A, y3, y1), odd2 = plus(A * A, z3, z1);
  put(at(targets, ts, 1, to), plus(A, odd, even), plus(A, odd2, even2));
  put(at(targets, ts, 2, to), minus(A, odd, even), minus(A, odd2, even2));
  even = plus(B * B, y2, y0), even2 = plus(B * B, z2, z0);
  odd = plus(B * B, y3, y1), odd2 = plus(B * B, z3, z1);
  put(at(targets, ts, 3, to), plus(B, odd, even), plus(B, odd2, even2));
  put(at(targets, ts, 4, to), minus(B, odd, even), minus(B, odd2, even2));
}

/** What the rows of G are divided by: Π of the differences between a point and the others, 0, ±a, ±b. */
const AT_0: f32 = 1 / (A * A * B * B);
const AT_A: f32 = 1 / (2 * A * A * (A * A - B * B));
const AT_B: f32 = 1 / (2 * B * B * (B * B - A * A));

/** G g of F(4, 3). */
export function filter6(targets: usize, ts: usize, to: usize, sources: usize, ss: usize, from: usize): void {
  let s = at(sources, ss, 0, from);
  const g0 = v128.load(s), h0 = v128.load(s, 16);
  s = at(sources, ss, 1, from);
  const g1 = v128.load(s), h1 = v128.load(s, 16);
  s = at(sources, ss, 2, from);
  const g2 = v128.load(s), h2 = v128.load(s, 16);
  put(at(targets, ts, 0, to), times(AT_0, g0), times(AT_0, h0));
  put(at(targets, ts, 5, to), g2, h2);
  let even = times(AT_A, plus(A * A, g2, g0)), even2 = times(AT_A, plus(A * A, h2, h0));
  put(at(targets, ts, 1, to), plus(AT_A * A, g1, even), plus(AT_A * A, h1, even2));
  put(at(targets, ts, 2, to), minus(AT_A * A, g1, even), minus(AT_A * A, h1, even2));
  even = times(AT_B, plus(B * B, g2, g0)), even2 = times(AT_B, plus(B * B, h2, h0));
  put(at(targets, ts, 3, to), plus(AT_B * B, g1, even), plus(AT_B * B, h1, even2));
  put(at(targets, ts, 4, to), minus(AT_B * B, g1, even), minus(AT_B * B, h1, even2));
}

/** Gᵀ u of F(4, 3). */
export function filterGrad6(
  targets: usize,
  ts: usize,
  to: usize,
  sources: usize,
  ss: usize,
  from: usize,
): void {
  let s = at(sources, ss, 1, from), t = at(sources, ss, 2, from);
  let u = v128.load(s), u2 = v128.load(s, 16), w = v128.load(t), w2 = v128.load(t, 16);
  const evenA = times(AT_A, f32x4.add(u, w)), evenA2 = times(AT_A, f32x4.add(u2, w2));
  const oddA = times(AT_A * A, f32x4.sub(u, w)), oddA2 = times(AT_A * A, f32x4.sub(u2, w2));
  s = at(sources, ss, 3, from), t = at(sources, ss, 4, from);
  u = v128.load(s), u2 = v128.load(s, 16), w = v128.load(t), w2 = v128.load(t, 16);
  const evenB = times(AT_B, f32x4.add(u, w)), evenB2 = times(AT_B, f32x4.add(u2, w2));
  s = at(sources, ss, 0, from), t = at(sources, ss, 5, from);
  const oddB = plus(AT_B * B, f32x4.sub(u, w), oddA), oddB2 = plus(AT_B * B, f32x4.sub(u2, w2), oddA2);
  u = v128.load(s), u2 = v128.load(s, 16), w = v128.load(t), w2 = v128.load(t, 16);
  put(
    at(targets, ts, 0, to),
    plus(AT_0, u, f32x4.add(evenA, evenB)),
    plus(AT_0, u2, f32x4.add(evenA2, evenB2)),
  );
  put(at(targets, ts, 1, to), oddB, oddB2);
  put(
    at(targets, ts, 2, to),
    plus(A * A, evenA, plus(B * B, evenB, w)),
    plus(A * A, evenA2, plus(B * B, evenB2, w2)),
  );
}

/** Bᵀ d of F(2, 3). */
export function input4(targets: usize, ts: usize, to: usize, sources: usize, ss: usize, from: usize): void {
  let s = at(sources, ss, 0, from);
  const d0 = v128.load(s), e0 = v128.load(s, 16);
  s = at(sources, ss, 1, from);
  const d1 = v128.load(s), e1 = v128.load(s, 16);
  s = at(sources, ss, 2, from);
  const d2 = v128.load(s), e2 = v128.load(s, 16);
  s = at(sources, ss, 3, from);
  const d3 = v128.load(s), e3 = v128.load(s, 16);
  put(at(targets, ts, 0, to), f32x4.sub(d0, d2), f32x4.sub(e0, e2));
  put(at(targets, ts, 1, to), f32x4.add(d2, d1), f32x4.add(e2, e1));
  put(at(targets, ts, 2, to), f32x4.sub(d2, d1), f32x4.sub(e2, e1));
  put(at(targets, ts, 3, to), f32x4.sub(d3, d1), f32x4.sub(e3, e1));
}

/** Aᵀ p of F(2, 3). */
export function output4(targets: usize, ts: usize, to: usize, sources: usize, ss: usize, from: usize): void {
  let s = at(sources, ss, 1, from), t = at(sources, ss, 2, from);
  const p1 = v128.load(s), q1 = v128.load(s, 16), p2 = v128.load(t), q2 = v128.load(t, 16);
  s = at(sources, ss, 0, from), t = at(sources, ss, 3, from);
  const p0 = v128.load(s), q0 = v128.load(s, 16), p3 = v128.load(t), q3 = v128.load(t, 16);
  put(at(targets, ts, 0, to), f32x4.add(p0, f32x4.add(p1, p2)), f32x4.add(q0, f32x4.add(q1, q2)));
  put(at(targets, ts, 1, to), f32x4.add(p3, f32x4.sub(p1, p2)), f32x4.add(q3, f32x4.sub(q1, q2)));
}

/** A dy of F(2, 3). */
export function spread4(targets: usize, ts: usize, to: usize, sources: usize, ss: usize, from: usize): void {
  const s = at(sources, ss, 0, from), t = at(sources, ss, 1, from);
  const y0 = v128.load(s), z0 = v128.load(s, 16), y1 = v128.load(t), z1 = v128.load(t, 16);
  put(at(targets, ts, 0, to), y0, z0);
  put(at(targets, ts, 1, to), f32x4.add(y0, y1), f32x4.add(z0, z1));
  put(at(targets, ts, 2, to), f32x4.sub(y0, y1), f32x4.sub(z0, z1));
  put(at(targets, ts, 3, to), y1, z1);
}

/** G g of F(2, 3). */
export function filter4(targets: usize, ts: usize, to: usize, sources: usize, ss: usize, from: usize): void {
  let s = at(sources, ss, 0, from);
  const g0 = v128.load(s), h0 = v128.load(s, 16);
  s = at(sources, ss, 1, from);
  const g1 = v128.load(s), h1 = v128.load(s, 16);
  s = at(sources, ss, 2, from);
  const g2 = v128.load(s), h2 = v128.load(s, 16);
  const even = times(0.5, f32x4.add(g0, g2)), even2 = times(0.5, f32x4.add(h0, h2));
  put(at(targets, ts, 0, to), g0, h0);
  put(at(targets, ts, 1, to), plus(0.5, g1, even), plus(0.5, h1, even2));
  put(at(targets, ts, 2, to), minus(0.5, g1, even), minus(0.5, h1, even2));
  put(at(targets, ts, 3, to), g2, h2);
}

/** Gᵀ u of F(2, 3). */
export function filterGrad4(
  targets: usize,
  ts: usize,
  to: usize,
  sources: usize,
  ss: usize,
  from: usize,
): void {
  let s = at(sources, ss, 1, from), t = at(sources, ss, 2, from);
  const u1 = v128.load(s), w1 = v128.load(s, 16), u2 = v128.load(t), w2 = v128.load(t, 16);
  s = at(sources, ss, 0, from), t = at(sources, ss, 3, from);
  const u0 = v128.load(s), w0 = v128.load(s, 16), u3 = v128.load(t), w3 = v128.load(t, 16);
  const even = times(0.5, f32x4.add(u1, u2)), even2 = times(0.5, f32x4.add(w1, w2));
  put(at(targets, ts, 0, to), f32x4.add(u0, even), f32x4.add(w0, even2));
  put(at(targets, ts, 1, to), times(0.5, f32x4.sub(u1, u2)), times(0.5, f32x4.sub(w1, w2)));
  put(at(targets, ts, 2, to), f32x4.add(u3, even), f32x4.add(w3, even2));
}
