/**
 * Sums, products and constants, element by element. One loop serves all: the classes stand for the formulas, and the
 * compiler makes a copy of the loop for each of them. y may be a or b.
 */
import { address, draw, integer, number } from "./abi";
import { loadPart, storePart } from "./part";

/** Elements a ticket stands for: 64 KiB of one operand, few enough to share, enough to stream. */
const GRAIN: i32 = 16384;

class Add {}
class Multiply {}
class Fill {}

function formula<F>(a: v128, b: v128): v128 {
  if (idof<F>() == idof<Add>()) return f32x4.add(a, b);
  if (idof<F>() == idof<Multiply>()) return f32x4.mul(a, b);
  return b;
}

/** y = a ∘ b; where b is 0 it is no address, and `constant` stands in for all its elements. The same for a. */
function elements<F>(args: usize, a: usize, b: usize, constant: v128, y: usize, count: i32): void {
  for (let start = draw(args) * GRAIN; start < count; start = draw(args) * GRAIN) {
    const end = min(start + GRAIN, count);
    let i = start;
    for (; i + 8 <= end; i += 8) {
      const at = <usize> i << 2;
      const a0 = a ? v128.load(a + at) : constant, a1 = a ? v128.load(a + at, 16) : constant;
      const b0 = b ? v128.load(b + at) : constant, b1 = b ? v128.load(b + at, 16) : constant;
      const y0 = formula<F>(a0, b0), y1 = formula<F>(a1, b1);
      v128.store(y + at, y0);
      v128.store(y + at, y1, 16);
    }
    for (; i < end; i += 4) {
      const at = <usize> i << 2;
      const a0 = a ? loadPart(a + at, end - i) : constant, b0 = b ? loadPart(b + at, end - i) : constant;
      storePart(y + at, formula<F>(a0, b0), end - i);
    }
  }
}

/** y = a + b. Arguments: a, b, y, count. */
export function add(args: usize, thread: i32): void {
  elements<Add>(args, address(args, 0), address(args, 1), f32x4.splat(0), address(args, 2), integer(args, 3));
}

/** y = a · b. Arguments: a, b, y, count. */
export function multiply(args: usize, thread: i32): void {
  elements<Multiply>(
    args,
    address(args, 0),
    address(args, 1),
    f32x4.splat(0),
    address(args, 2),
    integer(args, 3),
  );
}

/** y = factor · x. Arguments: x, y, count, factor. y may be x. */
export function scale(args: usize, thread: i32): void {
  const factor = f32x4.splat(number(args, 3));
  elements<Multiply>(args, address(args, 0), 0, factor, address(args, 1), integer(args, 2));
}

/** y = value. Arguments: y, count, value. */
export function fill(args: usize, thread: i32): void {
  elements<Fill>(args, 0, 0, f32x4.splat(number(args, 2)), address(args, 0), integer(args, 1));
}
