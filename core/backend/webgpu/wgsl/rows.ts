/**
 * Softmax, log softmax and cross entropy, after the code of `reduceLanes`: a workgroup takes one row, LANES invocations wide. Number i of a row lies at
 * `place(i)`: memory is outer × extent × inner with the axis in the middle.
 *
 * Sums are trees in f32 (the CPU adds in f64), which keep the error below that of the exponentials. That a score which is
 * not finite spoils its row relies on ∞ − ∞ being NaN, which WGSL does not promise but Vulkan's and Direct3D's compilers keep.
 */
import * as math from "./math.ts";

const LEAST = "-3.40282346e38";

const rowHead = `
@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32) {
  let row = group_index(group);
  if (row >= n.rows) { return; }
  let start = (row / n.inner) * n.extent * n.inner + row % n.inner;
`;

/** Greatest number of the row in `most`, and the sum of exp(x − most) in `sum`. */
const greatestAndSum = `
  var own = ${LEAST};
  for (var i = lane; i < n.extent; i += LANES) { own = max(own, read_x(start + i * n.inner)); }
  let most = greatest_of(lane, own);
  var part = 0.0;
  for (var i = lane; i < n.extent; i += LANES) { part += exp_of(read_x(start + i * n.inner) - most); }
  let sum = sum_of(lane, part);
`;

/** y = exp(x − max) / Σ exp(x − max). Numbers: rows = outer · inner, extent, inner. */
export const softmax = `${math.exp}${rowHead}${greatestAndSum}
  for (var i = lane; i < n.extent; i += LANES) {
    let at = start + i * n.inner;
    write_y(at, exp_of(read_x(at) - most) / sum);
  }
}
`;

/** y = x − max − log Σ exp(x − max) */
export const logSoftmax = `${math.exp}${math.log}${rowHead}${greatestAndSum}
  let logarithm = log_of(sum);
  for (var i = lane; i < n.extent; i += LANES) {
    let at = start + i * n.inner;
    write_y(at, (read_x(at) - most) - logarithm);
  }
}
`;

/** dx = y · (dy − Σ dy·y) */
export const softmaxGrad = `${rowHead}
  var part = 0.0;
  for (var i = lane; i < n.extent; i += LANES) {
    let at = start + i * n.inner;
    part += read_dy(at) * read_y(at);
  }
  let sum = sum_of(lane, part);
  for (var i = lane; i < n.extent; i += LANES) {
    let at = start + i * n.inner;
    write_dx(at, read_y(at) * (read_dy(at) - sum));
  }
}
`;

/** dx = dy − exp(y) · Σ dy */
export const logSoftmaxGrad = `${math.exp}${rowHead}
  var part = 0.0;
  for (var i = lane; i < n.extent; i += LANES) { part += read_dy(start + i * n.inner); }
  let sum = sum_of(lane, part);
  for (var i = lane; i < n.extent; i += LANES) {
    let at = start + i * n.inner;
    write_dx(at, read_dy(at) - exp_of(read_y(at)) * sum);
  }
}
`;

/**
 * Per row, with z = x − max and L = log Σ exp z: loss = confidence · (L − z[target]) + spread · Σ (L − z), and
 * probabilities = softmax x. A target of −1 marks a row that does not count: its loss is 0; any other that is no class makes
 * it NaN. Numbers: rows, extent, inner = 1, confidence = 1 − s, spread = s / classes.
 */
export const crossEntropy = `${math.exp}${math.log}${rowHead}${greatestAndSum}
  let logarithm = log_of(sum);
  var spread = 0.0;
  for (var i = lane; i < n.extent; i += LANES) {
    let shifted = read_x(start + i) - most;
    write_probabilities(start + i, exp_of(shifted) / sum);
    spread += logarithm - shifted;
  }
  let evenly = sum_of(lane, spread);
  if (lane != 0u) { return; }
  let label = read_labels(row);
  var loss = 0.0;
  if (label >= 0 && u32(label) < n.extent) {
    loss = n.confidence * (logarithm - (read_x(start + u32(label)) - most));
    if (n.spread != 0.0) { loss += n.spread * evenly; }
  } else if (label != -1) {
    loss = not_a_number();
  }
  write_losses(row, loss);
}
`;

/**
 * dx = factor · dloss · (p − spread − confidence · [class = target]); 0 in a row that does not count. An invocation a number.
 * Numbers: count, classes, confidence, spread, factor, each (1 where every row has a dloss of its own, else 0).
 */
export const crossEntropyGrad = `
@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32) {
  let i = group_index(group) * LANES + lane;
  if (i >= n.count) { return; }
  let row = i / n.classes;
  let label = read_labels(row);
  var dx = read_probabilities(i) - n.spread;
  if (label >= 0 && u32(label) == i % n.classes) { dx -= n.confidence; }
  let upstream = n.factor * read_dloss(row * n.each);
  write_dx(i, select(upstream * dx, 0.0, label == -1));
}
`;

/**
 * right[row] = 1 where its target is among the k highest scores, of equal ones the lower class being higher, else 0. NaN
 * counts as higher than anything. Numbers: rows, extent, inner = 1, k.
 */
export const rightRows = `${rowHead}
  let label = read_labels(row);
  let known = label >= 0 && u32(label) < n.extent;
  let target_class = select(0u, u32(label), known);
  let score = read_x(start + target_class);
  var higher = 0.0;
  for (var i = lane; i < n.extent; i += LANES) {
    let other = read_x(start + i);
    if (is_nan(other) || other > score || (other == score && i < target_class)) { higher += 1.0; }
  }
  let above = sum_of(lane, higher);
  if (lane == 0u) { write_right(row, select(0, 1, known && !is_nan(score) && above < n.k)); }
}
`;

/** y = Σ x of integers, by one workgroup. Numbers: count. */
export const countAll = `
var<workgroup> counts: array<i32, LANES>;

@compute @workgroup_size(LANES)
fn main(@builtin(local_invocation_index) lane: u32) {
  var sum = 0;
  for (var i = lane; i < n.count; i += LANES) { sum += read_x(i); }
  counts[lane] = sum;
  workgroupBarrier();
  if (lane != 0u) { return; }
  for (var other = 1u; other < LANES; other++) { sum += counts[other]; }
  write_y(0u, sum);
}
`;
