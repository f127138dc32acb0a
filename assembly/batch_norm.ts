/**
 * Batch normalisation of x, stored as P rows × C channels (P is N·H·W, or N for rank 2).
 *
 * Rows are split into blocks by shape alone, small enough that a block stays in the second-level cache. A block's sums
 * are taken in f32, in runs of few rows: memory is read nearly in order, and short chains of additions keep the error
 * small. Blocks are added in f64, in order. So the result is precise and the same for any number of threads. Every buffer
 * of blocks is [blocks × C]; means, weights and the like have a number a channel.
 */
import { address, draw, integer, number } from "./abi";
import { finish } from "./epilogue";
import { loadPart, storePart } from "./part";

/** Channels a ticket of the combining kernels stands for. */
const CHANNELS: i32 = 8;

/** Rows added to each other before their sum joins the block's. */
const RUN: usize = 8;

/**
 * Of each block and channel, sums = Σ x and squares = Σ (x − the block's own mean)².
 * Arguments: x, sums, squares, P, C, rows in a block.
 */
export function batch_norm_moments(args: usize, thread: i32): void {
  const x = address(args, 0), sums = address(args, 1), squares = address(args, 2);
  const rows = integer(args, 3), channels = integer(args, 4), block = integer(args, 5);
  const stride = <usize> channels << 2;
  const vectors = stride & ~31;
  for (let task = draw(args), first = task * block; first < rows; task = draw(args), first = task * block) {
    const count = min(block, rows - first);
    const from = x + <usize> first * stride, end = from + <usize> count * stride;
    const sum = sums + <usize> task * stride, square = squares + <usize> task * stride;

    memory.fill(sum, 0, vectors);
    for (let run = from; run < end; run += RUN * stride) {
      const runEnd = min(run + RUN * stride, end);
      for (let at: usize = 0; at < vectors; at += 32) {
        let sum0 = v128.load(run + at), sum1 = v128.load(run + at, 16);
        for (let p = run + stride + at; p < runEnd; p += stride) {
          sum0 = f32x4.add(sum0, v128.load(p));
          sum1 = f32x4.add(sum1, v128.load(p, 16));
        }
        sum0 = f32x4.add(sum0, v128.load(sum + at));
        sum1 = f32x4.add(sum1, v128.load(sum + at, 16));
        v128.store(sum + at, sum0);
        v128.store(sum + at, sum1, 16);
      }
    }

    memory.fill(square, 0, vectors);
    const inverse = f32x4.splat(1 / <f32> count);
    for (let run = from; run < end; run += RUN * stride) {
      const runEnd = min(run + RUN * stride, end);
      for (let at: usize = 0; at < vectors; at += 32) {
        const mean0 = f32x4.mul(v128.load(sum + at), inverse);
        const mean1 = f32x4.mul(v128.load(sum + at, 16), inverse);
        let square0 = f32x4.splat(0), square1 = f32x4.splat(0);
        for (let p = run + at; p < runEnd; p += stride) {
          const d0 = f32x4.sub(v128.load(p), mean0), d1 = f32x4.sub(v128.load(p, 16), mean1);
          square0 = f32x4.relaxed_madd(d0, d0, square0);
          square1 = f32x4.relaxed_madd(d1, d1, square1);
        }
        square0 = f32x4.add(square0, v128.load(square + at));
        square1 = f32x4.add(square1, v128.load(square + at, 16));
        v128.store(square + at, square0);
        v128.store(square + at, square1, 16);
      }
    }

    for (let at = vectors; at < stride; at += 16) {
      const left = <i32> (stride - at) >> 2;
      let total = f32x4.splat(0), distances = f32x4.splat(0);
      for (let run = from; run < end; run += RUN * stride) {
        const runEnd = min(run + RUN * stride, end);
        let sumOfRun = f32x4.splat(0);
        for (let p = run + at; p < runEnd; p += stride) sumOfRun = f32x4.add(sumOfRun, loadPart(p, left));
        total = f32x4.add(total, sumOfRun);
      }
      const mean = f32x4.mul(total, inverse);
      for (let run = from; run < end; run += RUN * stride) {
        const runEnd = min(run + RUN * stride, end);
        let squareOfRun = f32x4.splat(0);
        for (let p = run + at; p < runEnd; p += stride) {
          const distance = f32x4.sub(loadPart(p, left), mean);
          squareOfRun = f32x4.relaxed_madd(distance, distance, squareOfRun);
        }
        distances = f32x4.add(distances, squareOfRun);
      }
      storePart(sum + at, total, left);
      storePart(square + at, distances, left);
    }
  }
}

/**
 * The batch's statistics from its blocks' (Chan, Golub & LeVeque 1979), and one step of the running ones, whose
 * variance is the unbiased one: running += momentum · (batch − running).
 * Arguments: sums, squares, weight, running mean, running variance, mean, invstd = 1/√(variance + eps),
 * scale = weight · invstd, P, C, rows in a block, momentum, eps.
 */
export function batch_norm_statistics(args: usize, thread: i32): void {
  const sums = address(args, 0), squares = address(args, 1), weight = address(args, 2);
  const runningMean = address(args, 3), runningVariance = address(args, 4);
  const means = address(args, 5), invstds = address(args, 6), scales = address(args, 7);
  const rows = integer(args, 8), channels = integer(args, 9), block = integer(args, 10);
  const momentum = <f64> number(args, 11), eps = <f64> number(args, 12);
  const stride = <usize> channels << 2, inverse = 1 / <f64> block;
  for (let start = draw(args) * CHANNELS; start < channels; start = draw(args) * CHANNELS) {
    const end = min(start + CHANNELS, channels);
    for (let c = start; c < end; c++) {
      const at = <usize> c << 2;
      let total: f64 = 0;
      for (let first = 0, p = at; first < rows; first += block, p += stride) {
        total += <f64> load<f32>(sums + p);
      }
      const mean = total / <f64> rows;
      let square: f64 = 0;
      for (let first = 0, p = at; first < rows; first += block, p += stride) {
        const count = min(block, rows - first);
        const gap = <f64> load<f32>(sums + p) - <f64> count * mean;
        square += <f64> load<f32>(squares + p) + gap * gap * (count == block ? inverse : 1 / <f64> count);
      }
      const invstd = 1 / Math.sqrt(square / <f64> rows + eps);
      store<f32>(means + at, <f32> mean);
      store<f32>(invstds + at, <f32> invstd);
      store<f32>(scales + at, load<f32>(weight + at) * <f32> invstd);
      const oldMean = <f64> load<f32>(runningMean + at), oldVariance = <f64> load<f32>(runningVariance + at);
      store<f32>(runningMean + at, <f32> (oldMean + momentum * (mean - oldMean)));
      store<f32>(
        runningVariance + at,
        <f32> (oldVariance + momentum * (square / <f64> (rows - 1) - oldVariance)),
      );
    }
  }
}

/**
 * The running statistics in the place of the batch's, for inference.
 * Arguments: weight, running mean, running variance, mean, invstd, scale = weight · invstd, C, eps.
 */
export function batch_norm_running(args: usize, thread: i32): void {
  const weight = address(args, 0), runningMean = address(args, 1), runningVariance = address(args, 2);
  const means = address(args, 3), invstds = address(args, 4), scales = address(args, 5);
  const channels = integer(args, 6), eps = <f64> number(args, 7);
  for (let start = draw(args) * CHANNELS; start < channels; start = draw(args) * CHANNELS) {
    const end = min(start + CHANNELS, channels);
    for (let c = start; c < end; c++) {
      const at = <usize> c << 2;
      const invstd = 1 / Math.sqrt(<f64> load<f32>(runningVariance + at) + eps);
      store<f32>(means + at, load<f32>(runningMean + at));
      store<f32>(invstds + at, <f32> invstd);
      store<f32>(scales + at, load<f32>(weight + at) * <f32> invstd);
    }
  }
}

/**
 * y = (x − mean) · scale + bias, and what comes after it. Arguments: x, y, P, C, rows in a block, epilogue: its
 * normalisation is this one.
 */
export function batch_norm_apply(args: usize, thread: i32): void {
  const x = address(args, 0), y = address(args, 1);
  const rows = integer(args, 2), channels = integer(args, 3), block = integer(args, 4);
  const epilogue = address(args, 5), stride = <usize> channels << 2;
  for (let first = draw(args) * block; first < rows; first = draw(args) * block) {
    const end = min(first + block, rows);
    for (let row = first; row < end; row++) {
      const line = <usize> row * stride;
      finish(epilogue, x + line, y + line, 0, channels);
    }
  }
}
