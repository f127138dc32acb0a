/**
 * Softmax and log softmax along one axis, and their gradients. Memory is outer × extent × inner with the axis in the
 * middle; each of the outer · inner rows is one task's, whole.
 *
 *     value       x, y, outer, extent, inner
 *     gradient    dy, y, dx, outer, extent, inner
 */
import { address, draw, integer } from "./abi";
import { exp, log } from "./exp";
import { sumLanes } from "./part";
import { divide, exponentials, greatest, vectorPart } from "./row";

/** Elements a ticket stands for, about. */
const GRAIN: i32 = 4096;

class Softmax {}
class LogSoftmax {}

function forwardRow<F>(x: usize, y: usize, extent: i32, step: usize): void {
  const most = greatest(x, extent, step);
  const sum = <f32> exponentials(x, y, extent, step, most);
  if (idof<F>() == idof<Softmax>()) {
    divide(y, extent, step, sum);
    return;
  }
  const logarithm = f32x4.extract_lane(log(f32x4.splat(sum)), 0);
  const vectors = vectorPart(extent, step);
  let i = 0;
  for (; i < vectors; i += 4) {
    const at = <usize> i << 2;
    const shifted = f32x4.sub(v128.load(x + at), f32x4.splat(most));
    v128.store(y + at, f32x4.sub(shifted, f32x4.splat(logarithm)));
  }
  for (; i < extent; i++) {
    const at = <usize> i * step;
    store<f32>(y + at, (load<f32>(x + at) - most) - logarithm);
  }
}

/** What the row sums: dy · y for softmax, dy for log softmax. */
function summand<F>(dy: v128, y: v128): v128 {
  return idof<F>() == idof<Softmax>() ? f32x4.mul(dy, y) : dy;
}

function gradient<F>(dy: v128, y: v128, sum: v128): v128 {
  if (idof<F>() == idof<Softmax>()) return f32x4.mul(y, f32x4.sub(dy, sum));
  return f32x4.relaxed_nmadd(exp(y), sum, dy);
}

function backwardRow<F>(dy: usize, y: usize, dx: usize, extent: i32, step: usize): void {
  const vectors = vectorPart(extent, step);
  let four = f32x4.splat(0);
  let i = 0;
  for (; i < vectors; i += 4) {
    const at = <usize> i << 2;
    four = f32x4.add(four, summand<F>(v128.load(dy + at), v128.load(y + at)));
  }
  let sum = sumLanes(four);
  for (; i < extent; i++) {
    const at = <usize> i * step;
    sum += <f64> f32x4.extract_lane(summand<F>(v128.load32_splat(dy + at), v128.load32_splat(y + at)), 0);
  }
  const sums = f32x4.splat(<f32> sum);
  for (i = 0; i < vectors; i += 4) {
    const at = <usize> i << 2;
    v128.store(dx + at, gradient<F>(v128.load(dy + at), v128.load(y + at), sums));
  }
  for (; i < extent; i++) {
    const at = <usize> i * step;
    const one = gradient<F>(v128.load32_splat(dy + at), v128.load32_splat(y + at), sums);
    v128.store_lane<u32>(dx + at, one, 0);
  }
}

/** Offset in bytes of row `row`. */
function offsetOf(row: i32, extent: i32, inner: i32): usize {
  return (<usize> (row / inner) * <usize> extent * <usize> inner + <usize> (row % inner)) << 2;
}

function forward<F>(args: usize): void {
  const x = address(args, 0), y = address(args, 1);
  const extent = integer(args, 3), inner = integer(args, 4);
  const rows = integer(args, 2) * inner, grain = max(GRAIN / extent, 1);
  for (let start = draw(args) * grain; start < rows; start = draw(args) * grain) {
    for (let row = start, end = min(start + grain, rows); row < end; row++) {
      const at = offsetOf(row, extent, inner);
      forwardRow<F>(x + at, y + at, extent, <usize> inner << 2);
    }
  }
}

function backward<F>(args: usize): void {
  const dy = address(args, 0), y = address(args, 1), dx = address(args, 2);
  const extent = integer(args, 4), inner = integer(args, 5);
  const rows = integer(args, 3) * inner, grain = max(GRAIN / extent, 1);
  for (let start = draw(args) * grain; start < rows; start = draw(args) * grain) {
    for (let row = start, end = min(start + grain, rows); row < end; row++) {
      const at = offsetOf(row, extent, inner);
      backwardRow<F>(dy + at, y + at, dx + at, extent, <usize> inner << 2);
    }
  }
}

/** y = exp(x − max) / Σ exp(x − max) */
export function softmax(args: usize, thread: i32): void {
  forward<Softmax>(args);
}

/** dx = y · (dy − Σ dy·y) */
export function softmax_grad(args: usize, thread: i32): void {
  backward<Softmax>(args);
}

/** y = x − max − log Σ exp(x − max) */
export function log_softmax(args: usize, thread: i32): void {
  forward<LogSoftmax>(args);
}

/** dx = dy − exp(y) · Σ dy */
export function log_softmax_grad(args: usize, thread: i32): void {
  backward<LogSoftmax>(args);
}
