/**
 * Batch normalisation of x, stored as rows × channels, and its gradient. WGSL has no f64, so sums are trees: an invocation adds
 * few rows, and blocks are joined in a fixed order.
 */
import type { Width } from "./formula.ts";
import { COLUMN_CHANNELS, COLUMN_ROWS, sumColumns } from "./reduce.ts";

/** Joins mean and sum of squared distances of two parts (Chan, Golub & LeVeque 1979). */
const joinMoments = `
struct Moments {
  count: f32,
  mean: f32,
  /** Σ (x − mean)² */
  squares: f32,
}

fn join(a: Moments, b: Moments) -> Moments {
  let count = a.count + b.count;
  if (b.count == 0.0) { return a; }
  if (a.count == 0.0) { return b; }
  let gap = b.mean - a.mean;
  return Moments(count, a.mean + gap * (b.count / count), (a.squares + b.squares) + gap * gap * (a.count * b.count / count));
}
`;

/** A workgroup's shape and the joining of its rows, as in `sumColumns`. */
function joinColumns(own: string, end: string): string {
  return `${joinMoments}
var<workgroup> columns_shared: array<Moments, LANES>;

@compute @workgroup_size(${COLUMN_CHANNELS}, ${COLUMN_ROWS})
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_id) id: vec3u) {
  let channel = group.x * ${COLUMN_CHANNELS}u + id.x;
  let block = group.y;
  var moments = Moments();
  if (channel < n.channels) {
    ${own}
  }
  columns_shared[id.y * ${COLUMN_CHANNELS}u + id.x] = moments;
  workgroupBarrier();
  for (var half = ${COLUMN_ROWS / 2}u; half > 0u; half >>= 1u) {
    if (id.y < half) {
      let place = id.y * ${COLUMN_CHANNELS}u + id.x;
      columns_shared[place] = join(columns_shared[place], columns_shared[place + half * ${COLUMN_CHANNELS}u]);
    }
    workgroupBarrier();
  }
  if (id.y != 0u || channel >= n.channels) { return; }
  moments = columns_shared[id.x];
  ${end}
}
`;
}

/**
 * parts [2, blocks, channels]: mean and squares of each block. Distances are taken from the block's first row, so that one pass
 * is enough and little is lost where the mean is far above the deviation. Numbers: rows, channels, block, blocks.
 */
export const blockMoments = joinColumns(
  `
    let first = block * n.block;
    let last = min(first + n.block, n.rows);
    let origin = read_x(first * n.channels + channel);
    var sums = vec2f();
    for (var row = first + id.y; row < last; row += ${COLUMN_ROWS}u) {
      let distance = read_x(row * n.channels + channel) - origin;
      sums += vec2f(distance, distance * distance);
      moments.count += 1.0;
    }
    if (moments.count > 0.0) {
      let shift = sums.x / moments.count;
      moments.mean = origin + shift;
      moments.squares = sums.y - sums.x * shift;
      // Rounding may take the difference below 0, but NaN stays.
      moments.squares = select(moments.squares, 0.0, moments.squares < 0.0);
    }
`,
  `
  write_parts(block * n.channels + channel, moments.mean);
  write_parts((n.blocks + block) * n.channels + channel, moments.squares);
`,
);

/**
 * The batch's statistics from its blocks', and one step of the running ones, whose variance is the unbiased one: running +=
 * momentum · (batch − running); scale = weight · invstd. Numbers: rows, channels, block, blocks, momentum, eps.
 */
export const statistics = joinColumns(
  `
    for (var part = id.y; part < n.blocks; part += ${COLUMN_ROWS}u) {
      let count = f32(min(n.block, n.rows - part * n.block));
      let at = part * n.channels + channel;
      moments = join(moments, Moments(count, read_parts(at), read_parts(n.blocks * n.channels + at)));
    }
`,
  `
  let invstd = 1.0 / sqrt(moments.squares / f32(n.rows) + n.eps);
  write_mean(channel, moments.mean);
  write_invstd(channel, invstd);
  write_scale(channel, read_weight(channel) * invstd);
  let running_mean = read_running_mean(channel);
  let running_variance = read_running_variance(channel);
  write_running_mean(channel, running_mean + n.momentum * (moments.mean - running_mean));
  let variance = moments.squares / f32(n.rows - 1u);
  write_running_variance(channel, running_variance + n.momentum * (variance - running_variance));
`,
);

/** The running statistics in the place of the batch's, an invocation a channel. Numbers: count, eps. */
export const runningStatistics = `
@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32) {
  let channel = group.x * LANES + lane;
  if (channel >= n.count) { return; }
  let invstd = 1.0 / sqrt(read_running_variance(channel) + n.eps);
  write_mean(channel, read_running_mean(channel));
  write_invstd(channel, invstd);
  write_scale(channel, read_weight(channel) * invstd);
}
`;

/** For `elements` behind `finish`: y = the epilogue of (x − mean) · scale + bias. Numbers: count, channels, both in T. */
export const normalise = {
  own: "x = (x - read_mean(channel)) * read_scale(channel) + read_bias(channel);",
  formula: "finish(read_x(i), i, i % n.channels)",
};

/** Where a kernel has what it takes to compute a norm's output again, as expressions of `channel`. */
interface Norm {
  readonly mean: string;
  readonly scale: string;
  readonly bias: string;
}

/** dy before the activation that follows the norm, whose output is computed again; identity where there is none. */
function through(width: Width, { mean, scale, bias }: Norm, propagate: string | undefined): string {
  if (propagate === undefined) {
    return `\nfn through(dy: ${width}, x: ${width}, channel: u32) -> ${width} { return dy; }\n`;
  }
  return `${propagate}
fn through(dy: ${width}, x: ${width}, channel: u32) -> ${width} {
  return propagate(dy, (x - ${mean}) * ${scale} + ${bias});
}
`;
}

/**
 * parts [2, blocks, channels]: Σ dy and Σ dy · (x − mean) of each block; `propagate` is the gradient of the activation behind the
 * norm. Numbers: rows, channels, block, blocks.
 */
export function gradientSums(propagate: string | undefined): string {
  const norm = {
    mean: "read_mean(channel)",
    scale: "(read_weight(channel) * read_invstd(channel))",
    bias: "read_bias(channel)",
  };
  return sumColumns({
    helpers: through("f32", norm, propagate),
    add: `
      let x = read_x(at);
      let dy = through(read_dy(at), x, channel);
      sums += vec2f(dy, dy * (x - read_mean(channel)));
    `,
    end: `
  write_parts(block * n.channels + channel, sums.x);
  write_parts((n.blocks + block) * n.channels + channel, sums.y);
    `,
  });
}

/**
 * dweight and dbias from the blocks' sums, and all that the last pass needs of a channel, terms [5, channels]: scale = weight · invstd,
 * offset = dbias / m, slope = dweight · invstd / m (the last two 0 where the statistics are constants), mean and the norm's
 * bias, where there is one. Numbers: rows = blocks, channels, block = blocks, share = 1 / m, or 0.
 */
export function gradientTerms(hasBias: boolean): string {
  return sumColumns({
    add: "sums += vec2f(read_parts(at), read_parts(n.rows * n.channels + at));",
    end: `
  let invstd = read_invstd(channel);
  let slope = sums.y * invstd;
  write_dbias(channel, sums.x);
  write_dweight(channel, slope);
  write_terms(channel, read_weight(channel) * invstd);
  write_terms(n.channels + channel, sums.x * n.share);
  write_terms(2u * n.channels + channel, slope * invstd * n.share);
  write_terms(3u * n.channels + channel, read_mean(channel));
  ${hasBias ? "write_terms(4u * n.channels + channel, read_bias(channel));" : ""}
`,
  });
}

/** For `elements` behind `finish`: dx = (dy − offset − (x − mean) · slope) · scale. Numbers: count, channels. */
export function gradientOf(width: Width, propagate: string | undefined) {
  const term = (index: number) => `read_terms(${index}u * n.channels + channel)`;
  return {
    helpers: `${through(width, { mean: term(3), scale: term(0), bias: term(4) }, propagate)}
fn dx_at(i: u32) -> ${width} {
  let channel = i % n.channels;
  let x = read_x(i);
  let dy = through(read_dy(i), x, channel);
  let inner = (dy - ${term(1)}) + (${term(3)} - x) * ${term(2)};
  return finish(inner * ${term(0)}, i, channel);
}
`,
    formula: "dx_at(i)",
  };
}
