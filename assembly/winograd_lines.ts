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
 * A function transforms all lines of a tile in one of two passes, the type P. `Down` reads the columns of a tile, and
 * writes an intermediate square, `temps`; `Along` reads the rows of that square, and writes the result. The numbers of
 * tile and result need not lie in any order: a table holds the address of each place, row after row, and `offset` is added
 * to all of them. So places outside the image can point at zeros. The square has room for 6 × 6 places of eight floats,
 * one after another.
 *
 * The points are read from memory: as constants V8 would make them anew wherever registers run short.
 */

/** The passes. */
export class Down {}
export class Along {}

/** Bytes of eight floats. */
export const EIGHT: usize = 32;

/** Bytes of a row of the intermediate square. */
const ROW: usize = 6 * EIGHT;

const A: f32 = 0.75, B: f32 = 1.5;

/** What the rows of G are divided by: Π of the differences between a point and the others, 0, ±a, ±b. */
const AT_0: f32 = 1 / (A * A * B * B);
const AT_A: f32 = 1 / (2 * A * A * (A * A - B * B));
const AT_B: f32 = 1 / (2 * B * B * (B * B - A * A));

const POINTS: usize = memory.data<f32>([
  A,
  B,
  A * A,
  B * B,
  A * A * A,
  B * B * B,
  AT_0,
  AT_A,
  AT_B,
  AT_A * A,
  AT_B * B,
  0.5,
]);

function point(index: usize): v128 {
  return v128.load32_splat(POINTS + (index << 2));
}

function plus(factor: v128, x: v128, y: v128): v128 {
  return f32x4.relaxed_madd(factor, x, y);
}

function minus(factor: v128, x: v128, y: v128): v128 {
  return f32x4.relaxed_nmadd(factor, x, y);
}

/** How many lines a pass has, and so how wide the table's tile is. */
function lines<P>(inputs: i32, outputs: i32): i32 {
  return idof<P>() == idof<Down>() ? inputs : outputs;
}

/** Where a line's input is. */
function input<P>(table: usize, temps: usize, side: i32, index: usize, offset: usize): usize {
  if (idof<P>() == idof<Along>()) return temps + index * EIGHT;
  return load<usize>(table + ((index * <usize> side) << 2)) + offset;
}

/** Where its result goes. */
function output<P>(table: usize, temps: usize, index: usize, offset: usize): usize {
  if (idof<P>() == idof<Down>()) return temps + index * ROW;
  return load<usize>(table + (index << 2)) + offset;
}

/** From line to line of the table. */
function next<P>(side: i32): usize {
  return idof<P>() == idof<Down>() ? 4 : <usize> side << 2;
}

/** From line to line of the square. */
function nextTemps<P>(): usize {
  return idof<P>() == idof<Down>() ? EIGHT : ROW;
}

/** Writes eight floats. */
function put(to: usize, low: v128, high: v128): void {
  v128.store(to, low);
  v128.store(to, high, 16);
}

/** Bᵀ d of F(4, 3). */
export function input6<P>(table: usize, offset: usize, temps: usize): void {
  const side = lines<P>(6, 6);
  const a = point(0), b = point(1), aa = point(2), bb = point(3);
  for (let line = 0; line < side; line++, table += next<P>(side), temps += nextTemps<P>()) {
    let s = input<P>(table, temps, side, 0, offset);
    const d0 = v128.load(s), e0 = v128.load(s, 16);
    s = input<P>(table, temps, side, 1, offset);
    const d1 = v128.load(s), e1 = v128.load(s, 16);
    s = input<P>(table, temps, side, 2, offset);
    const d2 = v128.load(s), e2 = v128.load(s, 16);
    s = input<P>(table, temps, side, 3, offset);
    const d3 = v128.load(s), e3 = v128.load(s, 16);
    s = input<P>(table, temps, side, 4, offset);
    const d4 = v128.load(s), e4 = v128.load(s, 16);
    s = input<P>(table, temps, side, 5, offset);
    const d5 = v128.load(s), e5 = v128.load(s, 16);
    const evenA = minus(aa, d2, d4), evenA2 = minus(aa, e2, e4);
    const oddA = minus(aa, d1, d3), oddA2 = minus(aa, e1, e3);
    const evenB = minus(bb, d2, d4), evenB2 = minus(bb, e2, e4);
    const oddB = minus(bb, d1, d3), oddB2 = minus(bb, e1, e3);
    const first = minus(aa, d0, d2), first2 = minus(aa, e0, e2);
    const last = minus(bb, d3, d5), last2 = minus(bb, e3, e5);
    put(output<P>(table, temps, 0, offset), minus(bb, first, evenA), minus(bb, first2, evenA2));
    put(output<P>(table, temps, 1, offset), plus(a, oddB, evenB), plus(a, oddB2, evenB2));
    put(output<P>(table, temps, 2, offset), minus(a, oddB, evenB), minus(a, oddB2, evenB2));
    put(output<P>(table, temps, 3, offset), plus(b, oddA, evenA), plus(b, oddA2, evenA2));
    put(output<P>(table, temps, 4, offset), minus(b, oddA, evenA), minus(b, oddA2, evenA2));
    put(output<P>(table, temps, 5, offset), minus(aa, oddB, last), minus(aa, oddB2, last2));
  }
}

/** Aᵀ p of F(4, 3). */
export function output6<P>(table: usize, offset: usize, temps: usize): void {
  const side = lines<P>(6, 4);
  const a = point(0), b = point(1), aa = point(2), bb = point(3), aaa = point(4), bbb = point(5);
  for (let line = 0; line < side; line++, table += next<P>(side), temps += nextTemps<P>()) {
    let s = input<P>(table, temps, side, 0, offset);
    const p0 = v128.load(s), q0 = v128.load(s, 16);
    s = input<P>(table, temps, side, 1, offset);
    const p1 = v128.load(s), q1 = v128.load(s, 16);
    s = input<P>(table, temps, side, 2, offset);
    const p2 = v128.load(s), q2 = v128.load(s, 16);
    s = input<P>(table, temps, side, 3, offset);
    const p3 = v128.load(s), q3 = v128.load(s, 16);
    s = input<P>(table, temps, side, 4, offset);
    const p4 = v128.load(s), q4 = v128.load(s, 16);
    s = input<P>(table, temps, side, 5, offset);
    const p5 = v128.load(s), q5 = v128.load(s, 16);
    const evenA = f32x4.add(p1, p2), evenA2 = f32x4.add(q1, q2);
    const oddA = f32x4.sub(p1, p2), oddA2 = f32x4.sub(q1, q2);
    const evenB = f32x4.add(p3, p4), evenB2 = f32x4.add(q3, q4);
    const oddB = f32x4.sub(p3, p4), oddB2 = f32x4.sub(q3, q4);
    put(
      output<P>(table, temps, 0, offset),
      f32x4.add(p0, f32x4.add(evenA, evenB)),
      f32x4.add(q0, f32x4.add(evenA2, evenB2)),
    );
    put(
      output<P>(table, temps, 1, offset),
      plus(a, oddA, f32x4.mul(b, oddB)),
      plus(a, oddA2, f32x4.mul(b, oddB2)),
    );
    put(
      output<P>(table, temps, 2, offset),
      plus(aa, evenA, f32x4.mul(bb, evenB)),
      plus(aa, evenA2, f32x4.mul(bb, evenB2)),
    );
    put(
      output<P>(table, temps, 3, offset),
      plus(aaa, oddA, plus(bbb, oddB, p5)),
      plus(aaa, oddA2, plus(bbb, oddB2, q5)),
    );
  }
}

/** A dy of F(4, 3). */
export function spread6<P>(table: usize, offset: usize, temps: usize): void {
  const side = lines<P>(4, 6);
  const a = point(0), b = point(1), aa = point(2), bb = point(3);
  for (let line = 0; line < side; line++, table += next<P>(side), temps += nextTemps<P>()) {
    let s = input<P>(table, temps, side, 0, offset);
    const y0 = v128.load(s), z0 = v128.load(s, 16);
    s = input<P>(table, temps, side, 1, offset);
    const y1 = v128.load(s), z1 = v128.load(s, 16);
    s = input<P>(table, temps, side, 2, offset);
    const y2 = v128.load(s), z2 = v128.load(s, 16);
    s = input<P>(table, temps, side, 3, offset);
    const y3 = v128.load(s), z3 = v128.load(s, 16);
    const evenA = plus(aa, y2, y0), evenA2 = plus(aa, z2, z0);
    const oddA = plus(aa, y3, y1), oddA2 = plus(aa, z3, z1);
    const evenB = plus(bb, y2, y0), evenB2 = plus(bb, z2, z0);
    const oddB = plus(bb, y3, y1), oddB2 = plus(bb, z3, z1);
    put(output<P>(table, temps, 0, offset), y0, z0);
    put(output<P>(table, temps, 1, offset), plus(a, oddA, evenA), plus(a, oddA2, evenA2));
    put(output<P>(table, temps, 2, offset), minus(a, oddA, evenA), minus(a, oddA2, evenA2));
    put(output<P>(table, temps, 3, offset), plus(b, oddB, evenB), plus(b, oddB2, evenB2));
    put(output<P>(table, temps, 4, offset), minus(b, oddB, evenB), minus(b, oddB2, evenB2));
    put(output<P>(table, temps, 5, offset), y3, z3);
  }
}

/** G g of F(4, 3). */
export function filter6<P>(table: usize, offset: usize, temps: usize): void {
  const side = lines<P>(3, 6);
  const aa = point(2),
    bb = point(3),
    at0 = point(6),
    atA = point(7),
    atB = point(8),
    aAtA = point(9),
    bAtB = point(10);
  for (let line = 0; line < side; line++, table += next<P>(side), temps += nextTemps<P>()) {
    let s = input<P>(table, temps, side, 0, offset);
    const g0 = v128.load(s), h0 = v128.load(s, 16);
    s = input<P>(table, temps, side, 1, offset);
    const g1 = v128.load(s), h1 = v128.load(s, 16);
    s = input<P>(table, temps, side, 2, offset);
    const g2 = v128.load(s), h2 = v128.load(s, 16);
    const evenA = f32x4.mul(atA, plus(aa, g2, g0)), evenA2 = f32x4.mul(atA, plus(aa, h2, h0));
    const evenB = f32x4.mul(atB, plus(bb, g2, g0)), evenB2 = f32x4.mul(atB, plus(bb, h2, h0));
    put(output<P>(table, temps, 0, offset), f32x4.mul(at0, g0), f32x4.mul(at0, h0));
    put(output<P>(table, temps, 1, offset), plus(aAtA, g1, evenA), plus(aAtA, h1, evenA2));
    put(output<P>(table, temps, 2, offset), minus(aAtA, g1, evenA), minus(aAtA, h1, evenA2));
    put(output<P>(table, temps, 3, offset), plus(bAtB, g1, evenB), plus(bAtB, h1, evenB2));
    put(output<P>(table, temps, 4, offset), minus(bAtB, g1, evenB), minus(bAtB, h1, evenB2));
    put(output<P>(table, temps, 5, offset), g2, h2);
  }
}

/** Gᵀ u of F(4, 3). */
export function filterGrad6<P>(table: usize, offset: usize, temps: usize): void {
  const side = lines<P>(6, 3);
  const aa = point(2),
    bb = point(3),
    at0 = point(6),
    atA = point(7),
    atB = point(8),
    aAtA = point(9),
    bAtB = point(10);
  for (let line = 0; line < side; line++, table += next<P>(side), temps += nextTemps<P>()) {
    let s = input<P>(table, temps, side, 0, offset);
    const u0 = v128.load(s), w0 = v128.load(s, 16);
    s = input<P>(table, temps, side, 1, offset);
    const u1 = v128.load(s), w1 = v128.load(s, 16);
    s = input<P>(table, temps, side, 2, offset);
    const u2 = v128.load(s), w2 = v128.load(s, 16);
    s = input<P>(table, temps, side, 3, offset);
    const u3 = v128.load(s), w3 = v128.load(s, 16);
    s = input<P>(table, temps, side, 4, offset);
    const u4 = v128.load(s), w4 = v128.load(s, 16);
    s = input<P>(table, temps, side, 5, offset);
    const u5 = v128.load(s), w5 = v128.load(s, 16);
    const evenA = f32x4.mul(atA, f32x4.add(u1, u2)), evenA2 = f32x4.mul(atA, f32x4.add(w1, w2));
    const oddA = f32x4.mul(aAtA, f32x4.sub(u1, u2)), oddA2 = f32x4.mul(aAtA, f32x4.sub(w1, w2));
    const evenB = f32x4.mul(atB, f32x4.add(u3, u4)), evenB2 = f32x4.mul(atB, f32x4.add(w3, w4));
    const oddB = plus(bAtB, f32x4.sub(u3, u4), oddA), oddB2 = plus(bAtB, f32x4.sub(w3, w4), oddA2);
    put(
      output<P>(table, temps, 0, offset),
      plus(at0, u0, f32x4.add(evenA, evenB)),
      plus(at0, w0, f32x4.add(evenA2, evenB2)),
    );
    put(output<P>(table, temps, 1, offset), oddB, oddB2);
    put(
      output<P>(table, temps, 2, offset),
      plus(aa, evenA, plus(bb, evenB, u5)),
      plus(aa, evenA2, plus(bb, evenB2, w5)),
    );
  }
}

/** Bᵀ d of F(2, 3). */
export function input4<P>(table: usize, offset: usize, temps: usize): void {
  const side = lines<P>(4, 4);
  for (let line = 0; line < side; line++, table += next<P>(side), temps += nextTemps<P>()) {
    let s = input<P>(table, temps, side, 0, offset);
    const d0 = v128.load(s), e0 = v128.load(s, 16);
    s = input<P>(table, temps, side, 1, offset);
    const d1 = v128.load(s), e1 = v128.load(s, 16);
    s = input<P>(table, temps, side, 2, offset);
    const d2 = v128.load(s), e2 = v128.load(s, 16);
    s = input<P>(table, temps, side, 3, offset);
    const d3 = v128.load(s), e3 = v128.load(s, 16);
    put(output<P>(table, temps, 0, offset), f32x4.sub(d0, d2), f32x4.sub(e0, e2));
    put(output<P>(table, temps, 1, offset), f32x4.add(d2, d1), f32x4.add(e2, e1));
    put(output<P>(table, temps, 2, offset), f32x4.sub(d2, d1), f32x4.sub(e2, e1));
    put(output<P>(table, temps, 3, offset), f32x4.sub(d3, d1), f32x4.sub(e3, e1));
  }
}

/** Aᵀ p of F(2, 3). */
export function output4<P>(table: usize, offset: usize, temps: usize): void {
  const side = lines<P>(4, 2);
  for (let line = 0; line < side; line++, table += next<P>(side), temps += nextTemps<P>()) {
    let s = input<P>(table, temps, side, 0, offset);
    const p0 = v128.load(s), q0 = v128.load(s, 16);
    s = input<P>(table, temps, side, 1, offset);
    const p1 = v128.load(s), q1 = v128.load(s, 16);
    s = input<P>(table, temps, side, 2, offset);
    const p2 = v128.load(s), q2 = v128.load(s, 16);
    s = input<P>(table, temps, side, 3, offset);
    const p3 = v128.load(s), q3 = v128.load(s, 16);
    put(
      output<P>(table, temps, 0, offset),
      f32x4.add(p0, f32x4.add(p1, p2)),
      f32x4.add(q0, f32x4.add(q1, q2)),
    );
    put(
      output<P>(table, temps, 1, offset),
      f32x4.add(p3, f32x4.sub(p1, p2)),
      f32x4.add(q3, f32x4.sub(q1, q2)),
    );
  }
}

/** A dy of F(2, 3). */
export function spread4<P>(table: usize, offset: usize, temps: usize): void {
  const side = lines<P>(2, 4);
  for (let line = 0; line < side; line++, table += next<P>(side), temps += nextTemps<P>()) {
    let s = input<P>(table, temps, side, 0, offset);
    const y0 = v128.load(s), z0 = v128.load(s, 16);
    s = input<P>(table, temps, side, 1, offset);
    const y1 = v128.load(s), z1 = v128.load(s, 16);
    put(output<P>(table, temps, 0, offset), y0, z0);
    put(output<P>(table, temps, 1, offset), f32x4.add(y0, y1), f32x4.add(z0, z1));
    put(output<P>(table, temps, 2, offset), f32x4.sub(y0, y1), f32x4.sub(z0, z1));
    put(output<P>(table, temps, 3, offset), y1, z1);
  }
}

/** G g of F(2, 3). */
export function filter4<P>(table: usize, offset: usize, temps: usize): void {
  const side = lines<P>(3, 4);
  const half = point(11);
  for (let line = 0; line < side; line++, table += next<P>(side), temps += nextTemps<P>()) {
    let s = input<P>(table, temps, side, 0, offset);
    const g0 = v128.load(s), h0 = v128.load(s, 16);
    s = input<P>(table, temps, side, 1, offset);
    const g1 = v128.load(s), h1 = v128.load(s, 16);
    s = input<P>(table, temps, side, 2, offset);
    const g2 = v128.load(s), h2 = v128.load(s, 16);
    const even = f32x4.mul(half, f32x4.add(g0, g2)), even2 = f32x4.mul(half, f32x4.add(h0, h2));
    put(output<P>(table, temps, 0, offset), g0, h0);
    put(output<P>(table, temps, 1, offset), plus(half, g1, even), plus(half, h1, even2));
    put(output<P>(table, temps, 2, offset), minus(half, g1, even), minus(half, h1, even2));
    put(output<P>(table, temps, 3, offset), g2, h2);
  }
}

/** Gᵀ u of F(2, 3). */
export function filterGrad4<P>(table: usize, offset: usize, temps: usize): void {
  const side = lines<P>(4, 3);
  const half = point(11);
  for (let line = 0; line < side; line++, table += next<P>(side), temps += nextTemps<P>()) {
    let s = input<P>(table, temps, side, 0, offset);
    const u0 = v128.load(s), w0 = v128.load(s, 16);
    s = input<P>(table, temps, side, 1, offset);
    const u1 = v128.load(s), w1 = v128.load(s, 16);
    s = input<P>(table, temps, side, 2, offset);
    const u2 = v128.load(s), w2 = v128.load(s, 16);
    s = input<P>(table, temps, side, 3, offset);
    const u3 = v128.load(s), w3 = v128.load(s, 16);
    const even = f32x4.mul(half, f32x4.add(u1, u2)), even2 = f32x4.mul(half, f32x4.add(w1, w2));
    put(output<P>(table, temps, 0, offset), f32x4.add(u0, even), f32x4.add(w0, even2));
    put(
      output<P>(table, temps, 1, offset),
      f32x4.mul(half, f32x4.sub(u1, u2)),
      f32x4.mul(half, f32x4.sub(w1, w2)),
    );
    put(output<P>(table, temps, 2, offset), f32x4.add(u3, even), f32x4.add(w3, even2));
  }
}
