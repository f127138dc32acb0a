/**
 * The epilogue: what is left to do to a product's or a norm's results, done while they are in the nearest cache
 * instead of in passes over memory of their own. Of each result x, in this order, what there is of
 *
 *     x = (x − mean[channel]) · scale[channel] + shift[channel]
 *     x = x + other                         before the activation,
 *     x = activation(x)                     or its gradient, x · activation'(saved)
 *     x = x + other                         or after it
 *
 * with the same formulas in the same order as the kernels of these ops, so that the results are the same bits. A
 * table says which; core/backend/wasm/lower/epilogue.ts writes it:
 *
 *     0 mean, 1 scale, 2 shift    addresses, a float a channel; all three 0 for none
 *     3 y                         where the results begin; `other` and `saved` are laid out as they are
 *     4 other                     address
 *     5 sum                       0 none, 1 before the activation, 2 after it
 *     6 activation                0 none, 1 ReLU, 2 leaky ReLU, 3 ReLU6; 4, 5, 6 their gradients
 *     7 slope                     leaky ReLU's, a float
 *     8 saved                     address: the output of the activation, but of leaky ReLU the input
 */
import { gradient, Identity, LeakyRelu, Relu, Relu6, value } from "./formula";
import { loadPart, storePart } from "./part";

const MEAN: usize = 0;
const SCALE: usize = 4;
const SHIFT: usize = 8;
const Y: usize = 12;
const OTHER: usize = 16;
const SUM: usize = 20;
const ACTIVATION: usize = 24;
const SLOPE: usize = 28;
const SAVED: usize = 32;

class No {}
class Yes {}
class Before {}
class After {}

/**
 * Finishes `count` channels of one pixel, the first of which is `channel`: reads them at `from`, and writes them to
 * `to`, which lies in y and may be `from`.
 */
export function finish(epilogue: usize, from: usize, to: usize, channel: i32, count: i32): void {
  if (load<usize>(epilogue, MEAN)) withSum<Yes>(epilogue, from, to, channel, count);
  else withSum<No>(epilogue, from, to, channel, count);
}

function withSum<Norm>(epilogue: usize, from: usize, to: usize, channel: i32, count: i32): void {
  const sum = load<i32>(epilogue, SUM);
  if (sum == 0) withActivation<Norm, No>(epilogue, from, to, channel, count);
  else if (sum == 1) withActivation<Norm, Before>(epilogue, from, to, channel, count);
  else withActivation<Norm, After>(epilogue, from, to, channel, count);
}

function withActivation<Norm, Sum>(epilogue: usize, from: usize, to: usize, channel: i32, count: i32): void {
  const activation = load<i32>(epilogue, ACTIVATION);
  if (activation == 0) run<Norm, Sum, Identity, No>(epilogue, from, to, channel, count);
  else if (activation == 1) run<Norm, Sum, Relu, No>(epilogue, from, to, channel, count);
  else if (activation == 2) run<Norm, Sum, LeakyRelu, No>(epilogue, from, to, channel, count);
  else if (activation == 3) run<Norm, Sum, Relu6, No>(epilogue, from, to, channel, count);
  // Gradients are neither normalised nor followed by a sum.
  else if (idof<Norm>() == idof<Yes>() || idof<Sum>() == idof<After>()) unreachable();
  else if (activation == 4) run<Norm, Sum, Relu, Yes>(epilogue, from, to, channel, count);
  else if (activation == 5) run<Norm, Sum, LeakyRelu, Yes>(epilogue, from, to, channel, count);
  else run<Norm, Sum, Relu6, Yes>(epilogue, from, to, channel, count);
}

function run<Norm, Sum, F, Gradient>(
  epilogue: usize,
  from: usize,
  to: usize,
  channel: i32,
  count: i32,
): void {
  const first = <usize> channel << 2, place = to - load<usize>(epilogue, Y);
  const mean = load<usize>(epilogue, MEAN) + first, scale = load<usize>(epilogue, SCALE) + first;
  const shift = load<usize>(epilogue, SHIFT) + first;
  const other = load<usize>(epilogue, OTHER) + place, saved = load<usize>(epilogue, SAVED) + place;
  const slope = v128.load32_splat(epilogue, SLOPE);
  const bytes = <usize> count << 2;
  let at: usize = 0;
  for (; at + 32 <= bytes; at += 32) {
    let x0 = v128.load(from + at), x1 = v128.load(from + at, 16);
    if (idof<Norm>() == idof<Yes>()) {
      x0 = normalised(x0, v128.load(mean + at), v128.load(scale + at), v128.load(shift + at));
      x1 = normalised(x1, v128.load(mean + at, 16), v128.load(scale + at, 16), v128.load(shift + at, 16));
    }
    if (idof<Sum>() == idof<Before>()) {
      x0 = f32x4.add(x0, v128.load(other + at));
      x1 = f32x4.add(x1, v128.load(other + at, 16));
    }
    if (idof<Gradient>() == idof<Yes>()) {
      x0 = gradient<F>(x0, v128.load(saved + at), slope);
      x1 = gradient<F>(x1, v128.load(saved + at, 16), slope);
    } else {
      x0 = value<F>(x0, slope);
      x1 = value<F>(x1, slope);
    }
    if (idof<Sum>() == idof<After>()) {
      x0 = f32x4.add(x0, v128.load(other + at));
      x1 = f32x4.add(x1, v128.load(other + at, 16));
    }
    v128.store(to + at, x0);
    v128.store(to + at, x1, 16);
  }
  for (; at < bytes; at += 16) {
    const left = <i32> (bytes - at) >> 2;
    let x = loadPart(from + at, left);
    if (idof<Norm>() == idof<Yes>()) {
      x = normalised(x, loadPart(mean + at, left), loadPart(scale + at, left), loadPart(shift + at, left));
    }
    if (idof<Sum>() == idof<Before>()) x = f32x4.add(x, loadPart(other + at, left));
    if (idof<Gradient>() == idof<Yes>()) x = gradient<F>(x, loadPart(saved + at, left), slope);
    else x = value<F>(x, slope);
    if (idof<Sum>() == idof<After>()) x = f32x4.add(x, loadPart(other + at, left));
    storePart(to + at, x, left);
  }
}

/**
 * The mean is taken off first, not folded into the shift, so that little is lost where it is much larger than the
 * deviation.
 */
export function normalised(x: v128, mean: v128, scale: v128, shift: v128): v128 {
  return f32x4.relaxed_madd(f32x4.sub(x, mean), scale, shift);
}
