/**
 * The gradient of batch normalisation of x, stored as P rows × C channels; blocks of rows and their sums as in
 * batch_norm.ts. dy and dx are laid out as x is; all else has a number a channel.
 *
 * dy may be the gradient to the output of an activation that follows the norm. Then the kernels that read dy first take it
 * through that activation's gradient, for which they compute the norm's output again, with the forward pass's arithmetic
 * and so the same bits. They have the same last arguments: bias (of the norm), activation (codes 0 … 3 of epilogue.ts) and
 * its slope.
 */
import { address, draw, integer, number } from "./abi";
import { finish, normalised } from "./epilogue";
import { gradient, Identity, LeakyRelu, Relu, Relu6 } from "./formula";
import { loadPart, storePart } from "./part";

/** Channels a ticket of the combining kernel stands for. */
const CHANNELS: i32 = 8;

/** Rows added to each other before their sum joins the block's. */
const RUN: usize = 8;

/** dy before the activation F; scale is weight · invstd. */
function through<F>(dy: v128, x: v128, mean: v128, scale: v128, bias: v128, slope: v128): v128 {
  if (idof<F>() == idof<Identity>()) return dy;
  return gradient<F>(dy, normalised(x, mean, scale, bias), slope);
}

/**
 * Of each block and channel, Σ dy and Σ dy · (x − mean).
 * Arguments: dy, x, mean, weight, invstd, sums, products, P, C, rows in a block, bias, activation, slope.
 */
export function batch_norm_grad_sums(args: usize, thread: i32): void {
  const activation = integer(args, 11);
  if (activation == 0) sums<Identity>(args);
  else if (activation == 1) sums<Relu>(args);
  else if (activation == 2) sums<LeakyRelu>(args);
  else sums<Relu6>(args);
}

function sums<F>(args: usize): void {
  const dy = address(args, 0), x = address(args, 1), mean = address(args, 2), weight = address(args, 3);
  const invstd = address(args, 4), sums = address(args, 5), products = address(args, 6);
  const rows = integer(args, 7), channels = integer(args, 8), block = integer(args, 9);
  const bias = address(args, 10), slope = f32x4.splat(number(args, 12));
  const stride = <usize> channels << 2;
  const vectors = stride & ~31;
  for (let task = draw(args), first = task * block; first < rows; task = draw(args), first = task * block) {
    const size = <usize> min(block, rows - first) * stride;
    const dyFrom = dy + <usize> first * stride, xFrom = x + <usize> first * stride;
    const sum = sums + <usize> task * stride, product = products + <usize> task * stride;

    memory.fill(sum, 0, vectors);
    memory.fill(product, 0, vectors);
    for (let run: usize = 0; run < size; run += RUN * stride) {
      const runEnd = min(run + RUN * stride, size);
      for (let at: usize = 0; at < vectors; at += 32) {
        const mean0 = v128.load(mean + at), mean1 = v128.load(mean + at, 16);
        let scale0 = mean0, scale1 = mean1, bias0 = mean0, bias1 = mean1;
        if (idof<F>() != idof<Identity>()) {
          scale0 = f32x4.mul(v128.load(weight + at), v128.load(invstd + at));
          scale1 = f32x4.mul(v128.load(weight + at, 16), v128.load(invstd + at, 16));
          bias0 = v128.load(bias + at);
          bias1 = v128.load(bias + at, 16);
        }
        let sum0 = f32x4.splat(0),
          sum1 = f32x4.splat(0),
          product0 = f32x4.splat(0),
          product1 = f32x4.splat(0);
        for (let p = run + at; p < runEnd; p += stride) {
          const x0 = v128.load(xFrom + p), x1 = v128.load(xFrom + p, 16);
          const dy0 = through<F>(v128.load(dyFrom + p), x0, mean0, scale0, bias0, slope);
          const dy1 = through<F>(v128.load(dyFrom + p, 16), x1, mean1, scale1, bias1, slope);
          sum0 = f32x4.add(sum0, dy0);
          sum1 = f32x4.add(sum1, dy1);
          product0 = f32x4.relaxed_madd(dy0, f32x4.sub(x0, mean0), product0);
          product1 = f32x4.relaxed_madd(dy1, f32x4.sub(x1, mean1), product1);
        }
        sum0 = f32x4.add(sum0, v128.load(sum + at));
        sum1 = f32x4.add(sum1, v128.load(sum + at, 16));
        product0 = f32x4.add(product0, v128.load(product + at));
        product1 = f32x4.add(product1, v128.load(product + at, 16));
        v128.store(sum + at, sum0);
        v128.store(sum + at, sum1, 16);
        v128.store(product + at, product0);
        v128.store(product + at, product1, 16);
      }
    }

    for (let at = vectors; at < stride; at += 16) {
      const left = <i32> (stride - at) >> 2, means = loadPart(mean + at, left);
      let scales = means, biases = means;
      if (idof<F>() != idof<Identity>()) {
        scales = f32x4.mul(loadPart(weight + at, left), loadPart(invstd + at, left));
        biases = loadPart(bias + at, left);
      }
      let total = f32x4.splat(0), products = f32x4.splat(0);
      for (let run: usize = 0; run < size; run += RUN * stride) {
        const runEnd = min(run + RUN * stride, size);
        let sumOfRun = f32x4.splat(0), productOfRun = f32x4.splat(0);
        for (let p = run + at; p < runEnd; p += stride) {
          const xs = loadPart(xFrom + p, left);
          const dys = through<F>(loadPart(dyFrom + p, left), xs, means, scales, biases, slope);
          sumOfRun = f32x4.add(sumOfRun, dys);
          productOfRun = f32x4.relaxed_madd(dys, f32x4.sub(xs, means), productOfRun);
        }
        total = f32x4.add(total, sumOfRun);
        products = f32x4.add(products, productOfRun);
      }
      storePart(sum + at, total, left);
      storePart(product + at, products, left);
    }
  }
}

/**
 * dbias = Σ dy and dweight = Σ dy · (x − mean) · invstd from the blocks' sums, and what `batch_norm_grad_apply` needs of
 * each channel: scale = weight · invstd, offset = dbias / P, incline = dweight · invstd / P; the last two are 0 where the
 * statistics are constants (training = 0). Arguments: sums, products, weight, invstd, dweight, dbias, scale, offset,
 * incline, P, C, rows in a block, training.
 */
export function batch_norm_grad_combine(args: usize, thread: i32): void {
  const sums = address(args, 0),
    products = address(args, 1),
    weight = address(args, 2),
    invstds = address(args, 3);
  const dWeight = address(args, 4), dBias = address(args, 5);
  const scale = address(args, 6), offset = address(args, 7), incline = address(args, 8);
  const rows = integer(args, 9), channels = integer(args, 10), block = integer(args, 11);
  const perRow: f64 = integer(args, 12) ? 1 / <f64> rows : 0;
  const stride = <usize> channels << 2;
  for (let start = draw(args) * CHANNELS; start < channels; start = draw(args) * CHANNELS) {
    const end = min(start + CHANNELS, channels);
    for (let c = start; c < end; c++) {
      const at = <usize> c << 2;
      let sum: f64 = 0, product: f64 = 0;
      for (let first = 0, p = at; first < rows; first += block, p += stride) {
        sum += <f64> load<f32>(sums + p);
        product += <f64> load<f32>(products + p);
      }
      const invstd = <f64> load<f32>(invstds + at);
      product *= invstd;
      store<f32>(dBias + at, <f32> sum);
      store<f32>(dWeight + at, <f32> product);
      store<f32>(scale + at, load<f32>(weight + at) * <f32> invstd);
      store<f32>(offset + at, <f32> (sum * perRow));
      store<f32>(incline + at, <f32> (product * invstd * perRow));
    }
  }
}

/**
 * dx = scale · (dy − offset − incline · (x − mean)), and what comes after it. dx may be dy or x.
 * Arguments: dy, x, dx, mean, scale, offset, incline, P, C, rows in a block, bias, activation, its slope, epilogue (or 0).
 */
export function batch_norm_grad_apply(args: usize, thread: i32): void {
  const activation = integer(args, 11);
  if (activation == 0) apply<Identity>(args);
  else if (activation == 1) apply<Relu>(args);
  else if (activation == 2) apply<LeakyRelu>(args);
  else apply<Relu6>(args);
}

function apply<F>(args: usize): void {
  const dy = address(args, 0), x = address(args, 1), dx = address(args, 2), mean = address(args, 3);
  const scale = address(args, 4), offset = address(args, 5), incline = address(args, 6);
  const rows = integer(args, 7), channels = integer(args, 8), block = integer(args, 9);
  const bias = address(args, 10), slope = f32x4.splat(number(args, 12));
  const epilogue = address(args, 13), stride = <usize> channels << 2, vectors = stride & ~31;
  for (let first = draw(args) * block; first < rows; first = draw(args) * block) {
    const end = min(first + block, rows);
    for (let row = first; row < end; row++) {
      const line = <usize> row * stride;
      let at: usize = 0;
      for (; at < vectors; at += 32) {
        const p = line + at;
        const x0 = v128.load(x + p), x1 = v128.load(x + p, 16);
        const mean0 = v128.load(mean + at), mean1 = v128.load(mean + at, 16);
        const scale0 = v128.load(scale + at), scale1 = v128.load(scale + at, 16);
        let dy0 = v128.load(dy + p), dy1 = v128.load(dy + p, 16);
        if (idof<F>() != idof<Identity>()) {
          dy0 = through<F>(dy0, x0, mean0, scale0, v128.load(bias + at), slope);
          dy1 = through<F>(dy1, x1, mean1, scale1, v128.load(bias + at, 16), slope);
        }
        const g0 = f32x4.sub(dy0, v128.load(offset + at)), g1 = f32x4.sub(dy1, v128.load(offset + at, 16));
        const d0 = f32x4.sub(mean0, x0), d1 = f32x4.sub(mean1, x1);
        const c0 = f32x4.relaxed_madd(d0, v128.load(incline + at), g0);
        const c1 = f32x4.relaxed_madd(d1, v128.load(incline + at, 16), g1);
        const r0 = f32x4.mul(c0, scale0), r1 = f32x4.mul(c1, scale1);
        v128.store(dx + p, r0);
        v128.store(dx + p, r1, 16);
      }
      for (; at < stride; at += 16) {
        const p = line + at, left = <i32> (stride - at) >> 2;
        const xs = loadPart(x + p, left),
          means = loadPart(mean + at, left),
          scales = loadPart(scale + at, left);
        let dys = loadPart(dy + p, left);
        if (idof<F>() != idof<Identity>()) {
          dys = through<F>(dys, xs, means, scales, loadPart(bias + at, left), slope);
        }
        const g = f32x4.sub(dys, loadPart(offset + at, left));
        const c = f32x4.relaxed_madd(f32x4.sub(means, xs), loadPart(incline + at, left), g);
        storePart(dx + p, f32x4.mul(c, scales), left);
      }
      if (epilogue) finish(epilogue, dx + line, dx + line, 0, channels);
    }
  }
}
