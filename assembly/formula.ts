/**
 * The formulas of activations and of their gradients, on four numbers. Classes stand for them: a loop that is generic
 * over these is compiled once for each.
 */
import { sigmoid, tanh } from "./exp";

export class Identity {}
export class Relu {}
export class LeakyRelu {}
export class Relu6 {}
export class Sigmoid {}
export class Tanh {}

/** `slope` is leaky ReLU's; the others do not look at it. */
export function value<F>(x: v128, slope: v128): v128 {
  const zero = f32x4.splat(0);
  if (idof<F>() == idof<Identity>()) return x;
  // pmin and pmax in this order let NaN pass.
  if (idof<F>() == idof<Relu>()) return f32x4.pmax(x, zero);
  if (idof<F>() == idof<LeakyRelu>()) return v128.bitselect(x, f32x4.mul(x, slope), f32x4.gt(x, zero));
  if (idof<F>() == idof<Relu6>()) return f32x4.pmin(f32x4.pmax(x, zero), f32x4.splat(6));
  if (idof<F>() == idof<Sigmoid>()) return sigmoid(x);
  return tanh(x);
}

/**
 * `saved` is the output, but for leaky ReLU the input. For ReLU and ReLU6 the input gives the same bits, since they
 * change no number in the range that lets gradients through.
 */
export function gradient<F>(dy: v128, saved: v128, slope: v128): v128 {
  const zero = f32x4.splat(0), one = f32x4.splat(1);
  if (idof<F>() == idof<Identity>()) return dy;
  if (idof<F>() == idof<Relu>()) return v128.and(dy, f32x4.gt(saved, zero));
  if (idof<F>() == idof<LeakyRelu>()) return v128.bitselect(dy, f32x4.mul(dy, slope), f32x4.gt(saved, zero));
  if (idof<F>() == idof<Relu6>()) {
    return v128.and(dy, v128.and(f32x4.gt(saved, zero), f32x4.lt(saved, f32x4.splat(6))));
  }
  if (idof<F>() == idof<Sigmoid>()) return f32x4.mul(dy, f32x4.mul(saved, f32x4.sub(one, saved)));
  return f32x4.mul(dy, f32x4.mul(f32x4.sub(one, saved), f32x4.add(one, saved)));
}
