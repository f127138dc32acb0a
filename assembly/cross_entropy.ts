/** Cross entropy of scores [rows, classes] with targets i32 [rows], its gradient, and the count of right answers. */
import { address, draw, integer, number } from "./abi";
import { log } from "./exp";
import { divide, exponentials, greatest } from "./row";

/** Elements a ticket stands for, about. */
const GRAIN: i32 = 4096;

/** Σ (x − shift) over a row. */
function sumShifted(x: usize, classes: i32, shift: f32): f64 {
  let sum: f64 = 0;
  for (let i = 0; i < classes; i++) sum += <f64> (load<f32>(x + (<usize> i << 2)) - shift);
  return sum;
}

/**
 * Per row, with z = x − max and L = log Σ exp z:
 * loss = confidence · (L − z[target]) + spread · Σ (L − z), and probabilities = softmax x.
 * A target of −1 marks a row that does not count: its loss is 0. Any other target that is no class makes the loss NaN,
 * which stops a training, rather than reading beside the scores.
 * Arguments: scores, targets, losses [rows], probabilities, rows, classes, confidence = 1 − s, spread = s / classes.
 */
export function cross_entropy(args: usize, thread: i32): void {
  const scores = address(args, 0), targets = address(args, 1);
  const losses = address(args, 2), probabilities = address(args, 3);
  const rows = integer(args, 4), classes = integer(args, 5);
  const confidence = <f64> number(args, 6), spread = <f64> number(args, 7);
  const grain = max(GRAIN / classes, 1);
  for (let start = draw(args) * grain; start < rows; start = draw(args) * grain) {
    for (let row = start, end = min(start + grain, rows); row < end; row++) {
      const at = (<usize> row * <usize> classes) << 2;
      const x = scores + at, p = probabilities + at;
      const most = greatest(x, classes, 4);
      const sum = <f32> exponentials(x, p, classes, 4, most);
      divide(p, classes, 4, sum);
      const logarithm = <f64> f32x4.extract_lane(log(f32x4.splat(sum)), 0);
      const target = load<i32>(targets + (<usize> row << 2));
      let loss: f64 = target == -1 ? 0 : NaN;
      if (<u32> target < <u32> classes) {
        loss = confidence * (logarithm - <f64> (load<f32>(x + (<usize> target << 2)) - most));
        if (spread != 0) loss += spread * (<f64> classes * logarithm - sumShifted(x, classes, most));
      }
      store<f32>(losses + (<usize> row << 2), <f32> loss);
    }
  }
}

/** y = factor · Σ x, in order, by one thread. Arguments: x, y, count, factor. */
export function sum_losses(args: usize, thread: i32): void {
  const x = address(args, 0), y = address(args, 1), count = integer(args, 2);
  const factor = <f64> number(args, 3);
  if (draw(args) != 0) return;
  let sum: f64 = 0;
  for (let i = 0; i < count; i++) sum += <f64> load<f32>(x + (<usize> i << 2));
  store<f32>(y, <f32> (factor * sum));
}

/**
 * dx = factor · dloss · (p − spread − confidence · [class = target]); 0 in a row that does not count (target −1).
 * Arguments: dloss, probabilities, targets, dx, rows, classes, confidence, spread, factor, stride of dloss in bytes
 * (0 where one loss stands for all rows). dx may be the probabilities.
 */
export function cross_entropy_grad(args: usize, thread: i32): void {
  const dloss = address(args, 0), probabilities = address(args, 1), targets = address(args, 2);
  const dx = address(args, 3), rows = integer(args, 4), classes = integer(args, 5);
  const confidence = number(args, 6), spread = number(args, 7), factor = number(args, 8);
  const stride = address(args, 9);
  const grain = max(GRAIN / classes, 1);
  for (let start = draw(args) * grain; start < rows; start = draw(args) * grain) {
    for (let row = start, end = min(start + grain, rows); row < end; row++) {
      const at = (<usize> row * <usize> classes) << 2;
      const target = load<i32>(targets + (<usize> row << 2));
      const scale = target == -1 ? <f32> 0 : factor * load<f32>(dloss + <usize> row * stride);
      for (let i = 0; i < classes; i++) {
        const p = load<f32>(probabilities + at + (<usize> i << 2)) - spread;
        store<f32>(dx + at + (<usize> i << 2), scale * (i == target ? p - confidence : p));
      }
    }
  }
}

/**
 * y (i32) = how many rows have their target among the k highest scores; of equal scores the lower class is higher.
 * NaN counts as higher than anything, so broken scores are never right. One thread does it: it is little work.
 * Arguments: scores, targets, y, rows, classes, k.
 */
export function count_correct(args: usize, thread: i32): void {
  const scores = address(args, 0), targets = address(args, 1), y = address(args, 2);
  const rows = integer(args, 3), classes = integer(args, 4), k = integer(args, 5);
  if (draw(args) != 0) return;
  let correct = 0;
  for (let row = 0; row < rows; row++) {
    const x = scores + ((<usize> row * <usize> classes) << 2);
    const target = load<i32>(targets + (<usize> row << 2));
    if (<u32> target >= <u32> classes) continue;
    const score = load<f32>(x + (<usize> target << 2));
    if (isNaN(score)) continue;
    let higher = 0;
    for (let i = 0; i < classes; i++) {
      const other = load<f32>(x + (<usize> i << 2));
      if (i < target ? !(other < score) : !(other <= score)) higher++;
    }
    if (higher < k) correct++;
  }
  store<i32>(y, correct);
}
