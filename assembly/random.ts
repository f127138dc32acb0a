/**
 * Dropout and random initial values. Element i takes its number from the counter (i / 4, stream, step, 0) whose key is
 * the run's seed: `rng` points at i32 [4] = seed low, seed high, step, unused. No state, no order: any thread can
 * compute any element.
 */
import { address, draw, integer, number } from "./abi";
import { log, sineOfTurns } from "./exp";
import { loadPart, storePart } from "./part";
import { philox, philox4, uniform, words0, words1, words2, words3 } from "./philox";

/** Elements a ticket stands for, a multiple of 16. */
const GRAIN: i32 = 16384;

/** The words of the elements i … i + 3. */
function words(rng: usize, stream: i32, i: i32): v128 {
  return philox(load<u32>(rng), load<u32>(rng, 4), <u32> i >> 2, stream, load<u32>(rng, 8));
}

/** Those of the elements i … i + 15, into `words0` … `words3`. */
function words16(rng: usize, stream: i32, i: i32): void {
  philox4(load<u32>(rng), load<u32>(rng, 4), <u32> i >> 2, stream, load<u32>(rng, 8));
}

/** x · scale where the words' uniform numbers are p or more, elsewhere 0. */
function kept(x: v128, words: v128, p: v128, scale: v128): v128 {
  return v128.and(f32x4.mul(x, scale), f32x4.ge(uniform(words), p));
}

/** y = uniform ≥ p ? x · scale : 0. Arguments: x, rng, y, count, stream, p, scale = 1 / (1 − p). y may be x. */
export function dropout(args: usize, thread: i32): void {
  const x = address(args, 0), rng = address(args, 1), y = address(args, 2), count = integer(args, 3);
  const stream = integer(args, 4), p = f32x4.splat(number(args, 5)), scale = f32x4.splat(number(args, 6));
  for (let start = draw(args) * GRAIN; start < count; start = draw(args) * GRAIN) {
    const end = min(start + GRAIN, count);
    let i = start;
    for (; i + 16 <= end; i += 16) {
      const from = x + (<usize> i << 2), to = y + (<usize> i << 2);
      words16(rng, stream, i);
      const y0 = kept(v128.load(from), words0, p, scale), y1 = kept(v128.load(from, 16), words1, p, scale);
      const y2 = kept(v128.load(from, 32), words2, p, scale),
        y3 = kept(v128.load(from, 48), words3, p, scale);
      v128.store(to, y0);
      v128.store(to, y1, 16);
      v128.store(to, y2, 32);
      v128.store(to, y3, 48);
    }
    for (; i < end; i += 4) {
      const at = <usize> i << 2;
      storePart(y + at, kept(loadPart(x + at, end - i), words(rng, stream, i), p, scale), end - i);
    }
  }
}

class Uniform {}
class Normal {}

/**
 * Standard normal numbers from pairs of uniform ones (Box & Muller 1958): the first of a pair, where `turned` is a
 * quarter, is √(−2 ln(1 − u)) · cos(2π·v), the second, where it is 0, has the sine. 1 − u is in (0, 1], so the
 * logarithm is finite.
 */
function normal(radius: v128, v: v128, turned: v128): v128 {
  return f32x4.mul(radius, sineOfTurns(f32x4.add(v, turned)));
}

function radiusOf(u: v128): v128 {
  return f32x4.sqrt(f32x4.mul(f32x4.splat(-2), log(f32x4.sub(f32x4.splat(1), u))));
}

/** y[0 … 7] = offset + factor · number, of the eight words. */
function store8<F>(y: usize, words0: v128, words1: v128, offset: v128, factor: v128): void {
  let a = uniform(words0), b = uniform(words1);
  if (idof<F>() == idof<Normal>()) {
    const radius = radiusOf(v128.shuffle<f32>(a, b, 0, 2, 4, 6)), v = v128.shuffle<f32>(a, b, 1, 3, 5, 7);
    const first = normal(radius, v, f32x4.splat(0.25)), second = normal(radius, v, f32x4.splat(0));
    a = v128.shuffle<f32>(first, second, 0, 4, 1, 5);
    b = v128.shuffle<f32>(first, second, 2, 6, 3, 7);
  }
  v128.store(y, f32x4.add(offset, f32x4.mul(factor, a)));
  v128.store(y, f32x4.add(offset, f32x4.mul(factor, b)), 16);
}

/** The same for up to four. */
function storeRest<F>(y: usize, words: v128, offset: v128, factor: v128, count: i32): void {
  let a = uniform(words);
  if (idof<F>() == idof<Normal>()) {
    const radius = radiusOf(v128.shuffle<f32>(a, a, 0, 0, 2, 2)), v = v128.shuffle<f32>(a, a, 1, 1, 3, 3);
    a = normal(radius, v, f32x4(0.25, 0, 0.25, 0));
  }
  storePart(y, f32x4.add(offset, f32x4.mul(factor, a)), count);
}

/** Arguments: y, rng, count, stream, offset, factor. */
function fillRandom<F>(args: usize): void {
  const y = address(args, 0), rng = address(args, 1), count = integer(args, 2), stream = integer(args, 3);
  const offset = f32x4.splat(number(args, 4)), factor = f32x4.splat(number(args, 5));
  for (let start = draw(args) * GRAIN; start < count; start = draw(args) * GRAIN) {
    const end = min(start + GRAIN, count);
    let i = start;
    for (; i + 16 <= end; i += 16) {
      const to = y + (<usize> i << 2);
      words16(rng, stream, i);
      store8<F>(to, words0, words1, offset, factor);
      store8<F>(to + 32, words2, words3, offset, factor);
    }
    for (; i < end; i += 4) {
      storeRest<F>(y + (<usize> i << 2), words(rng, stream, i), offset, factor, end - i);
    }
  }
}

/** y = low + uniform · range. Arguments: y, rng, count, stream, low, range. */
export function init_uniform(args: usize, thread: i32): void {
  fillRandom<Uniform>(args);
}

/** y = mean + std · normal. Arguments: y, rng, count, stream, mean, std. */
export function init_normal(args: usize, thread: i32): void {
  fillRandom<Normal>(args);
}
