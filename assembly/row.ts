/**
 * What softmax and cross entropy do to one row: `extent` floats, `step` bytes apart.
 * Neighbours (step 4) go four at a time; the remainder, and rows that lie across memory, one at a time.
 */
import { exp } from "./exp";
import { sumLanes } from "./part";

/** How many of the row's floats can go four at a time. */
export function vectorPart(extent: i32, step: usize): i32 {
  return step == 4 ? extent & ~3 : 0;
}

/** The greatest of the row; NaN does not count. */
export function greatest(x: usize, extent: i32, step: usize): f32 {
  const vectors = vectorPart(extent, step);
  let four = f32x4.splat(-Infinity);
  let i = 0;
  for (; i < vectors; i += 4) four = f32x4.pmax(four, v128.load(x + (<usize> i << 2)));
  let most = max(
    max(f32x4.extract_lane(four, 0), f32x4.extract_lane(four, 1)),
    max(f32x4.extract_lane(four, 2), f32x4.extract_lane(four, 3)),
  );
  for (; i < extent; i++) {
    const one = load<f32>(x + <usize> i * step);
    if (one > most) most = one;
  }
  return most;
}

/** y = exp(x − shift), and the sum of it. */
export function exponentials(x: usize, y: usize, extent: i32, step: usize, shift: f32): f64 {
  const vectors = vectorPart(extent, step);
  const shifts = f32x4.splat(shift);
  let four = f32x4.splat(0);
  let i = 0;
  for (; i < vectors; i += 4) {
    const at = <usize> i << 2;
    const e = exp(f32x4.sub(v128.load(x + at), shifts));
    v128.store(y + at, e);
    four = f32x4.add(four, e);
  }
  let sum = sumLanes(four);
  for (; i < extent; i++) {
    const at = <usize> i * step;
    const e = f32x4.extract_lane(exp(f32x4.splat(load<f32>(x + at) - shift)), 0);
    store<f32>(y + at, e);
    sum += <f64> e;
  }
  return sum;
}

/** y = y / divisor */
export function divide(y: usize, extent: i32, step: usize, divisor: f32): void {
  const vectors = vectorPart(extent, step);
  const divisors = f32x4.splat(divisor);
  let i = 0;
  for (; i < vectors; i += 4) {
    const at = y + (<usize> i << 2);
    v128.store(at, f32x4.div(v128.load(at), divisors));
  }
  for (; i < extent; i++) {
    const at = y + <usize> i * step;
    store<f32>(at, load<f32>(at) / divisor);
  }
}
