/**
 * Dropout and random initial values. Element i takes its number from the counter (i / 4, stream, step, 0) whose key is
 * the run's seed: `rng` points at i32 [4] = seed low, seed high, step, unused. No state, no order: any thread can
 * compute any element.
 */
import { address, draw, integer, number } from "./abi";
import { log, sineOfTurns } from "./exp";
import { loadPart, storePart } from "./part";
import { philox, uniform } from "./philox";

/** Elements a ticket stands for, a multiple of 4. */
const GRAIN: i32 = 16384;

/** The words of the elements i … i + 3. */
function words(rng: usize, stream: i32, i: i32): v128 {
  return philox(load<u32>(rng), load<u32>(rng, 4), <u32> i >> 2, stream, load<u32>(rng, 8));
}

/** y = uniform ≥ p ? x · scale : 0. Arguments: x, rng, y, count, stream, p, scale = 1 / (1 − p). y may be x. */
export function dropout(args: usize, thread: i32): void {
  const x = address(args, 0), rng = address(args, 1), y = address(args, 2), count = integer(args, 3);
  const stream = integer(args, 4), p = f32x4.splat(number(args, 5)), scale = f32x4.splat(number(args, 6));
  for (let start = draw(args) * GRAIN; start < count; start = draw(args) * GRAIN) {
    for (let i = start, end = min(start + GRAIN, count); i < end; i += 4) {
      const at = <usize> i << 2;
      const keep = f32x4.ge(uniform(words(rng, stream, i)), p);
      storePart(y + at, v128.and(f32x4.mul(loadPart(x + at, end - i), scale), keep), end - i);
    }
  }
}

/** y = low + uniform · range. Arguments: y, rng, count, stream, low, range. */
export function init_uniform(args: usize, thread: i32): void {
  const y = address(args, 0), rng = address(args, 1), count = integer(args, 2), stream = integer(args, 3);
  const low = f32x4.splat(number(args, 4)), range = f32x4.splat(number(args, 5));
  for (let start = draw(args) * GRAIN; start < count; start = draw(args) * GRAIN) {
    for (let i = start, end = min(start + GRAIN, count); i < end; i += 4) {
      const value = f32x4.add(low, f32x4.mul(uniform(words(rng, stream, i)), range));
      storePart(y + (<usize> i << 2), value, end - i);
    }
  }
}

/**
 * Two pairs of independent standard normal numbers from two pairs of uniform ones (Box & Muller 1958):
 * √(−2 ln(1 − u)) · (cos, sin)(2π·v). 1 − u is in (0, 1], so the logarithm is finite.
 */
function normal(pairs: v128): v128 {
  const u = v128.shuffle<f32>(pairs, pairs, 0, 0, 2, 2), v = v128.shuffle<f32>(pairs, pairs, 1, 1, 3, 3);
  const radius = f32x4.sqrt(f32x4.mul(f32x4.splat(-2), log(f32x4.sub(f32x4.splat(1), u))));
  const quarter = f32x4(0.25, 0, 0.25, 0);
  return f32x4.mul(radius, sineOfTurns(f32x4.add(v, quarter)));
}

/** y = mean + std · normal. Arguments: y, rng, count, stream, mean, std. */
export function init_normal(args: usize, thread: i32): void {
  const y = address(args, 0), rng = address(args, 1), count = integer(args, 2), stream = integer(args, 3);
  const mean = f32x4.splat(number(args, 4)), std = f32x4.splat(number(args, 5));
  for (let start = draw(args) * GRAIN; start < count; start = draw(args) * GRAIN) {
    for (let i = start, end = min(start + GRAIN, count); i < end; i += 4) {
      const value = f32x4.add(mean, f32x4.mul(std, normal(uniform(words(rng, stream, i)))));
      storePart(y + (<usize> i << 2), value, end - i);
    }
  }
}
