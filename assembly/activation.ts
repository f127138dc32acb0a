/**
 * Activations, element by element, and their gradients.
 *
 * Each takes the same arguments, so one loop serves all: the classes of formula.ts stand for the formulas, and the
 * compiler makes a copy of the loop for each of them.
 *
 *     value       x, y, count, slope           y may be x
 *     gradient    dy, saved, dx, count, slope  dx may be dy or saved
 *
 * `saved` is the output y, for leaky ReLU with a negative slope the input x; `slope` is leaky ReLU's, and 0 for the others.
 */
import { address, draw, integer, number } from "./abi";
import { gradient, LeakyRelu, Relu, Relu6, Sigmoid, Tanh, value } from "./formula";
import { loadPart, storePart } from "./part";

/** Elements a ticket stands for. */
const GRAIN: i32 = 16384;

function forward<F>(args: usize): void {
  const x = address(args, 0), y = address(args, 1), count = integer(args, 2);
  const slope = f32x4.splat(number(args, 3));
  for (let start = draw(args) * GRAIN; start < count; start = draw(args) * GRAIN) {
    const end = min(start + GRAIN, count);
    let i = start;
    for (; i + 8 <= end; i += 8) {
      const at = <usize> i << 2;
      const x0 = v128.load(x + at), x1 = v128.load(x + at, 16);
      const y0 = value<F>(x0, slope), y1 = value<F>(x1, slope);
      v128.store(y + at, y0);
      v128.store(y + at, y1, 16);
    }
    for (; i < end; i += 4) {
      const at = <usize> i << 2;
      storePart(y + at, value<F>(loadPart(x + at, end - i), slope), end - i);
    }
  }
}

function backward<F>(args: usize): void {
  const dy = address(args, 0), saved = address(args, 1), dx = address(args, 2), count = integer(args, 3);
  const slope = f32x4.splat(number(args, 4));
  for (let start = draw(args) * GRAIN; start < count; start = draw(args) * GRAIN) {
    const end = min(start + GRAIN, count);
    let i = start;
    for (; i + 8 <= end; i += 8) {
      const at = <usize> i << 2;
      const dy0 = v128.load(dy + at), dy1 = v128.load(dy + at, 16);
      const saved0 = v128.load(saved + at), saved1 = v128.load(saved + at, 16);
      const dx0 = gradient<F>(dy0, saved0, slope), dx1 = gradient<F>(dy1, saved1, slope);
      v128.store(dx + at, dx0);
      v128.store(dx + at, dx1, 16);
    }
    for (; i < end; i += 4) {
      const at = <usize> i << 2;
      const part = gradient<F>(loadPart(dy + at, end - i), loadPart(saved + at, end - i), slope);
      storePart(dx + at, part, end - i);
    }
  }
}

/** y = max(x, 0) */
export function relu(args: usize, thread: i32): void {
  forward<Relu>(args);
}

/** dx = y > 0 ? dy : 0 */
export function relu_grad(args: usize, thread: i32): void {
  backward<Relu>(args);
}

/** y = x > 0 ? x : slope · x */
export function leaky_relu(args: usize, thread: i32): void {
  forward<LeakyRelu>(args);
}

/** dx = x > 0 ? dy : slope · dy */
export function leaky_relu_grad(args: usize, thread: i32): void {
  backward<LeakyRelu>(args);
}

/** y = min(max(x, 0), 6) */
export function relu6(args: usize, thread: i32): void {
  forward<Relu6>(args);
}

/** dx = 0 < y < 6 ? dy : 0 */
export function relu6_grad(args: usize, thread: i32): void {
  backward<Relu6>(args);
}

/** y = 1 / (1 + exp(−x)) */
export function sigmoid(args: usize, thread: i32): void {
  forward<Sigmoid>(args);
}

/** dx = dy · y · (1 − y) */
export function sigmoid_grad(args: usize, thread: i32): void {
  backward<Sigmoid>(args);
}

/** y = tanh x */
export function tanh(args: usize, thread: i32): void {
  forward<Tanh>(args);
}

/** dx = dy · (1 − y²) */
export function tanh_grad(args: usize, thread: i32): void {
  backward<Tanh>(args);
}
