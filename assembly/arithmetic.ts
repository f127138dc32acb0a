/** Element by element: sums, products, constants. */
import { address, draw, integer, number } from "./abi";

/** Elements a ticket stands for: 64 KiB of one operand, small enough to share, large enough to stream. */
const GRAIN: i32 = 16384;

/** y = a + b. Arguments: a, b, y, count. y may be a or b. */
export function add(args: usize, thread: i32): void {
  const a = address(args, 0), b = address(args, 1), y = address(args, 2), count = integer(args, 3);
  for (let start = draw(args) * GRAIN; start < count; start = draw(args) * GRAIN) {
    const end = min(start + GRAIN, count);
    let i = start;
    for (; i + 4 <= end; i += 4) {
      const at = <usize> i << 2;
      v128.store(y + at, f32x4.add(v128.load(a + at), v128.load(b + at)));
    }
    for (; i < end; i++) {
      const at = <usize> i << 2;
      store<f32>(y + at, load<f32>(a + at) + load<f32>(b + at));
    }
  }
}

/** y = a · b. Arguments: a, b, y, count. y may be a or b. */
export function multiply(args: usize, thread: i32): void {
  const a = address(args, 0), b = address(args, 1), y = address(args, 2), count = integer(args, 3);
  for (let start = draw(args) * GRAIN; start < count; start = draw(args) * GRAIN) {
    const end = min(start + GRAIN, count);
    let i = start;
    for (; i + 4 <= end; i += 4) {
      const at = <usize> i << 2;
      v128.store(y + at, f32x4.mul(v128.load(a + at), v128.load(b + at)));
    }
    for (; i < end; i++) {
      const at = <usize> i << 2;
      store<f32>(y + at, load<f32>(a + at) * load<f32>(b + at));
    }
  }
}

/** y = factor · x. Arguments: x, y, count, factor. y may be x. */
export function scale(args: usize, thread: i32): void {
  const x = address(args, 0), y = address(args, 1), count = integer(args, 2), factor = number(args, 3);
  const factors = f32x4.splat(factor);
  for (let start = draw(args) * GRAIN; start < count; start = draw(args) * GRAIN) {
    const end = min(start + GRAIN, count);
    let i = start;
    for (; i + 4 <= end; i += 4) {
      const at = <usize> i << 2;
      v128.store(y + at, f32x4.mul(v128.load(x + at), factors));
    }
    for (; i < end; i++) {
      const at = <usize> i << 2;
      store<f32>(y + at, load<f32>(x + at) * factor);
    }
  }
}

/** y = value. Arguments: y, count, value. */
export function fill(args: usize, thread: i32): void {
  const y = address(args, 0), count = integer(args, 1), value = number(args, 2);
  const values = f32x4.splat(value);
  for (let start = draw(args) * GRAIN; start < count; start = draw(args) * GRAIN) {
    const end = min(start + GRAIN, count);
    let i = start;
    for (; i + 4 <= end; i += 4) v128.store(y + (<usize> i << 2), values);
    for (; i < end; i++) store<f32>(y + (<usize> i << 2), value);
  }
}
