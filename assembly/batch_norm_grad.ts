/** The gradient of batch normalisation; blocks of rows and their sums as in batch_norm.ts. */
import { address, draw, integer } from "./abi";

/** Channels a ticket of the combining kernel stands for. */
const CHANNELS: i32 = 8;

/** Rows added to each other before their sum joins the block's. */
const RUN: usize = 8;

/**
 * Of each block and channel, Σ dy and Σ dy · (x − mean).
 * Arguments: dy, x, mean, sums, products, P, C, rows in a block.
 */
export function batch_norm_grad_sums(args: usize, thread: i32): void {
  const dy = address(args, 0), x = address(args, 1), mean = address(args, 2);
  const sums = address(args, 3), products = address(args, 4);
  const rows = integer(args, 5), channels = integer(args, 6), block = integer(args, 7);
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
        let sum0 = f32x4.splat(0),
          sum1 = f32x4.splat(0),
          product0 = f32x4.splat(0),
          product1 = f32x4.splat(0);
        for (let p = run + at; p < runEnd; p += stride) {
          const dy0 = v128.load(dyFrom + p), dy1 = v128.load(dyFrom + p, 16);
          const d0 = f32x4.sub(v128.load(xFrom + p), mean0), d1 = f32x4.sub(v128.load(xFrom + p, 16), mean1);
          sum0 = f32x4.add(sum0, dy0);
          sum1 = f32x4.add(sum1, dy1);
          product0 = f32x4.relaxed_madd(dy0, d0, product0);
          product1 = f32x4.relaxed_madd(dy1, d1, product1);
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

    for (let at = vectors; at < stride; at += 4) {
      let total: f64 = 0, products: f64 = 0;
      for (let p = at; p < size; p += stride) {
        const slope = <f64> load<f32>(dyFrom + p);
        total += slope;
        products += slope * <f64> (load<f32>(xFrom + p) - load<f32>(mean + at));
      }
      store<f32>(sum + at, <f32> total);
      store<f32>(product + at, <f32> products);
    }
  }
}

/**
 * dweight and dbias from the blocks' sums, and what `batch_norm_grad_apply` needs of each channel:
 * scale = weight · invstd, offset = dbias / P, slope = dweight · invstd / P; the last two are 0 where the statistics
 * are constants (training = 0). Arguments: sums, products, weight, invstd, dweight, dbias, scale, offset, slope, P,
 * C, rows in a block, training.
 */
export function batch_norm_grad_combine(args: usize, thread: i32): void {
  const sums = address(args, 0),
    products = address(args, 1),
    weight = address(args, 2),
    invstds = address(args, 3);
  const dWeight = address(args, 4), dBias = address(args, 5);
  const scale = address(args, 6), offset = address(args, 7), slope = address(args, 8);
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
      store<f32>(scale + at, <f32> (<f64> load<f32>(weight + at) * invstd));
      store<f32>(offset + at, <f32> (sum * perRow));
      store<f32>(slope + at, <f32> (product * invstd * perRow));
    }
  }
}

/**
 * dx = scale · (dy − offset − slope · (x − mean)).
 * Arguments: dy, x, dx, mean, scale, offset, slope, P, C, rows in a block.
 */
export function batch_norm_grad_apply(args: usize, thread: i32): void {
  const dy = address(args, 0), x = address(args, 1), dx = address(args, 2), mean = address(args, 3);
  const scale = address(args, 4), offset = address(args, 5), slope = address(args, 6);
  const rows = integer(args, 7), channels = integer(args, 8), block = integer(args, 9);
  const stride = <usize> channels << 2;
  for (let first = draw(args) * block; first < rows; first = draw(args) * block) {
    const end = min(first + block, rows);
    for (let row = first; row < end; row++) {
      const line = <usize> row * stride;
      let c = 0;
      for (; c + 8 <= channels; c += 8) {
        const at = <usize> c << 2, p = line + at;
        const d0 = f32x4.sub(v128.load(mean + at), v128.load(x + p));
        const d1 = f32x4.sub(v128.load(mean + at, 16), v128.load(x + p, 16));
        const g0 = f32x4.sub(v128.load(dy + p), v128.load(offset + at));
        const g1 = f32x4.sub(v128.load(dy + p, 16), v128.load(offset + at, 16));
        const r0 = f32x4.mul(f32x4.relaxed_madd(d0, v128.load(slope + at), g0), v128.load(scale + at));
        const r1 = f32x4.mul(
          f32x4.relaxed_madd(d1, v128.load(slope + at, 16), g1),
          v128.load(scale + at, 16),
        );
        v128.store(dx + p, r0);
        v128.store(dx + p, r1, 16);
      }
      for (; c < channels; c++) {
        const at = <usize> c << 2, p = line + at;
        const distance = load<f32>(x + p) - load<f32>(mean + at);
        const centred = load<f32>(dy + p) - load<f32>(offset + at) - load<f32>(slope + at) * distance;
        store<f32>(dx + p, centred * load<f32>(scale + at));
      }
    }
  }
}
