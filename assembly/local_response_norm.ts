/**
 * Local response normalisation of x, stored as P rows × C channels.
 *
 * Each thread works in lines of its own, padded with zeros on both sides, so that windows over the edge and the
 * last, incomplete vector need no special case. A window of `size` channels begins floor(size/2) before its own channel.
 */
import { address, draw, integer, number } from "./abi";
import { power } from "./power";

/** Floats of a line: C rounded up to vectors, and a window more. The lowering allocates by the same formula. */
function lineLength(channels: i32, size: i32): i32 {
  return (channels + 3 & ~3) + (size + 15 & ~15);
}

/** Of four neighbouring channels, the sums of the windows that begin at `line`. */
function windowSums(line: usize, size: i32): v128 {
  let sums = v128.load(line);
  for (let i = 1; i < size; i++) sums = f32x4.add(sums, v128.load(line + (<usize> i << 2)));
  return sums;
}

/** t^−beta; AlexNet's beta of 0.75 takes square roots alone. */
function inversePower(t: v128, beta: f32): v128 {
  if (beta == 0.75) {
    const root = f32x4.sqrt(t);
    return f32x4.div(f32x4.splat(1), f32x4.mul(root, f32x4.sqrt(root)));
  }
  return power(t, <f64> -beta);
}

/** line = x² */
function squareInto(line: usize, x: usize, channels: i32): void {
  let c = 0;
  for (; c + 4 <= channels; c += 4) {
    const v = v128.load(x + (<usize> c << 2));
    v128.store(line + (<usize> c << 2), f32x4.mul(v, v));
  }
  for (; c < channels; c++) {
    const v = load<f32>(x + (<usize> c << 2));
    store<f32>(line + (<usize> c << 2), v * v);
  }
}

/**
 * y = x · t^−beta with t = k + factor · Σ x² over the window, factor = alpha / size.
 * Arguments: x, y, scratch [threads × 2 lines], P, C, rows in a ticket, size, factor, beta, k.
 */
export function local_response_norm(args: usize, thread: i32): void {
  const x = address(args, 0), y = address(args, 1);
  const rows = integer(args, 3),
    channels = integer(args, 4),
    grain = integer(args, 5),
    size = integer(args, 6);
  const factor = f32x4.splat(number(args, 7)), beta = number(args, 8), k = f32x4.splat(number(args, 9));
  const lineBytes = <usize> lineLength(channels, size) << 2;
  const squares = address(args, 2) + <usize> thread * 2 * lineBytes, powers = squares + lineBytes;
  memory.fill(squares, 0, lineBytes);
  const before = <usize> (size / 2) << 2;
  for (let first = draw(args) * grain; first < rows; first = draw(args) * grain) {
    const end = min(first + grain, rows);
    for (let row = first; row < end; row++) {
      const from = x + (<usize> row * channels << 2), to = y + (<usize> row * channels << 2);
      squareInto(squares + before, from, channels);
      for (let c = 0; c < channels; c += 4) {
        const at = <usize> c << 2;
        const t = f32x4.relaxed_madd(windowSums(squares + at, size), factor, k);
        v128.store(powers + at, inversePower(t, beta));
      }
      let c = 0;
      for (; c + 4 <= channels; c += 4) {
        const at = <usize> c << 2;
        v128.store(to + at, f32x4.mul(v128.load(from + at), v128.load(powers + at)));
      }
      for (; c < channels; c++) {
        const at = <usize> c << 2;
        store<f32>(to + at, load<f32>(from + at) * load<f32>(powers + at));
      }
    }
  }
}

/**
 * dx = dy · t^−beta − 2 · factor · beta · x · Σ dy · x · t^(−beta−1), t as above, the sum over the channels whose
 * windows hold this one: the window mirrored.
 * Arguments: dy, x, dx, scratch [threads × 3 lines], P, C, rows in a ticket, size, factor, beta, k.
 */
export function local_response_norm_grad(args: usize, thread: i32): void {
  const dy = address(args, 0), x = address(args, 1), dx = address(args, 2);
  const rows = integer(args, 4),
    channels = integer(args, 5),
    grain = integer(args, 6),
    size = integer(args, 7);
  const factor = number(args, 8), beta = number(args, 9), k = f32x4.splat(number(args, 10));
  const factors = f32x4.splat(factor);
  const slope: f32 = -2 * factor * beta, slopes = f32x4.splat(slope);
  const lineBytes = <usize> lineLength(channels, size) << 2;
  const squares = address(args, 3) + <usize> thread * 3 * lineBytes;
  const terms = squares + lineBytes, line = terms + lineBytes;
  memory.fill(squares, 0, 2 * lineBytes);
  const before = <usize> (size / 2) << 2, after = <usize> ((size - 1) / 2) << 2;
  for (let first = draw(args) * grain; first < rows; first = draw(args) * grain) {
    const end = min(first + grain, rows);
    for (let row = first; row < end; row++) {
      const start = <usize> row * channels << 2;
      const dyFrom = dy + start, xFrom = x + start, to = dx + start;
      squareInto(squares + before, xFrom, channels);
      // line = t^−beta, terms = t^(−beta−1)
      for (let c = 0; c < channels; c += 4) {
        const at = <usize> c << 2;
        const t = f32x4.relaxed_madd(windowSums(squares + at, size), factors, k);
        const p = inversePower(t, beta);
        v128.store(line + at, p);
        v128.store(terms + after + at, f32x4.div(p, t));
      }
      // dx = dy · line, terms = dy · x · terms
      let c = 0;
      for (; c + 4 <= channels; c += 4) {
        const at = <usize> c << 2, term = terms + after + at;
        const g = v128.load(dyFrom + at);
        v128.store(to + at, f32x4.mul(g, v128.load(line + at)));
        v128.store(term, f32x4.mul(f32x4.mul(g, v128.load(xFrom + at)), v128.load(term)));
      }
      for (; c < channels; c++) {
        const at = <usize> c << 2, term = terms + after + at;
        const g = load<f32>(dyFrom + at);
        store<f32>(to + at, g * load<f32>(line + at));
        store<f32>(term, g * load<f32>(xFrom + at) * load<f32>(term));
      }
      // The vectors above reached beyond the last channel.
      for (; (c & 3) != 0; c++) store<f32>(terms + after + (<usize> c << 2), 0);
      for (c = 0; c < channels; c += 4) {
        const at = <usize> c << 2;
        v128.store(line + at, windowSums(terms + at, size));
      }
      for (c = 0; c + 4 <= channels; c += 4) {
        const at = <usize> c << 2;
        const turned = f32x4.mul(f32x4.mul(v128.load(xFrom + at), v128.load(line + at)), slopes);
        v128.store(to + at, f32x4.add(v128.load(to + at), turned));
      }
      for (; c < channels; c++) {
        const at = <usize> c << 2;
        store<f32>(to + at, load<f32>(to + at) + load<f32>(xFrom + at) * load<f32>(line + at) * slope);
      }
    }
  }
}
