/**
 * Batch normalisation of x, stored as rows × channels, and its gradient. WGSL has no f64, so sums are trees: an invocation adds
 * few rows, and blocks are joined in a fixed order.
 */
import type { Width } from "./formula.ts";
import { joinColumns, type Subgroups, sumColumns } from "./reduce.ts";

/** Joins mean and sum of squared distances of two parts (Chan, Golub & LeVeque 1979). */
const moments = (width: Width) => ({
  fields: ["count", "mean", "squares"],
  code: `
struct Part {
  count: f32,
  mean: ${width},
  /** Σ (x − mean)² */
  squares: ${width},
}

fn joined(a: Part, b: Part) -> Part {
  let count = a.count + b.count;
  if (b.count == 0.0) { return a; }
  if (a.count == 0.0) { return b; }
  let gap = b.mean - a.mean;
  return Part(count, a.mean + gap * (b.count / count), (a.squares + b.squares) + gap * gap * (a.count * b.count / count));
}
`,
});

/**
 * parts [2, blocks, channels]: mean and squares of each block. Distances are taken from the block's first row, so that one pass
 * is enough and little is lost where the mean is far above the deviation. Numbers: rows, channels, block, blocks.
 */
export function blockMoments(width: Width, subgroups: Subgroups): string {
  const zero = `${width}()`;
  return joinColumns({
    width,
    subgroups,
    ...moments(width),
    own: `
    let first = block * n.block;
    let last = min(first + n.block, n.rows);
    let origin = read_x(first * n.channels + channel);
    var sum = ${zero};
    var squares = ${zero};
    for (var i = first + row; i < last; i += ROWS) {
      let distance = read_x(i * n.channels + channel) - origin;
      sum += distance;
      squares += distance * distance;
      part.count += 1.0;
    }
    if (part.count > 0.0) {
      let shift = sum / part.count;
      part.mean = origin + shift;
      part.squares = squares - sum * shift;
      // Rounding may take the difference below 0, but NaN stays.
      part.squares = select(part.squares, ${zero}, part.squares < ${zero});
    }
`,
    end: `
  write_parts(block * n.channels + channel, part.mean);
  write_parts((n.blocks + block) * n.channels + channel, part.squares);
`,
  });
}

/**
 * The batch's statistics from its blocks', and one step of the running ones, whose variance is the unbiased one: running +=
 * momentum · (batch − running); scale = weight · invstd. Numbers: rows, channels, block, blocks, momentum, eps.
 */
export function statistics(width: Width, subgroups: Subgroups): string {
  return joinColumns({
    width,
    subgroups,
    ...moments(width),
    own: `
    for (var i = row; i < n.blocks; i += ROWS) {
      let count = f32(min(n.block, n.rows - i * n.block));
      let at = i * n.channels + channel;
      part = joined(part, Part(count, read_parts(at), read_parts(n.blocks * n.channels + at)));
    }
`,
    end: `
  let invstd = 1.0 / sqrt(part.squares / f32(n.rows) + n.eps);
  write_mean(channel, part.mean);
  write_invstd(channel, invstd);
  write_scale(channel, read_weight(channel) * invstd);
  let running_mean = read_running_mean(channel);
  let running_variance = read_running_variance(channel);
  write_running_mean(channel, running_mean + n.momentum * (part.mean - running_mean));
  let variance = part.squares / f32(n.rows - 1u);
  write_running_variance(channel, running_variance + n.momentum * (variance - running_variance));
`,
  });
}

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

/** For `elements`, after the code of `finish`: y = the epilogue of (x − mean) · scale + bias. Numbers: count, channels, both in T. */
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
 * parts [2, blocks, channels]: Σ dy and Σ dy · (x − mean) of each block; `propagate` is the gradient of the activation after the
 * norm. Numbers: rows, channels, block, blocks.
 */
export function gradientSums(propagate: string | undefined, width: Width, subgroups: Subgroups): string {
  const norm = {
    mean: "read_mean(channel)",
    scale: "(read_weight(channel) * read_invstd(channel))",
    bias: "read_bias(channel)",
  };
  const sums = {
    count: 2,
    helpers: through(width, norm, propagate),
    add: `
      let x = read_x(at);
      let dy = through(read_dy(at), x, channel);
      part.first += dy;
      part.second += dy * (x - read_mean(channel));
    `,
    end: `
  write_parts(block * n.channels + channel, part.first);
  write_parts((n.blocks + block) * n.channels + channel, part.second);
    `,
  } as const;
  return sumColumns(sums, width, subgroups);
}

/**
 * dweight and dbias from the blocks' sums, and all that the last pass needs of a channel, terms [5, channels]: scale = weight · invstd,
 * offset = dbias / m, slope = dweight · invstd / m (the last two 0 where the statistics are constants), mean and the norm's
 * bias, where there is one. Numbers: rows = blocks, channels, block = blocks, share = 1 / m, or 0.
 */
export function gradientTerms(hasBias: boolean, width: Width, subgroups: Subgroups): string {
  const sums = {
    count: 2,
    add: `
      part.first += read_parts(at);
      part.second += read_parts(n.rows * n.channels + at);
    `,
    end: `
  let invstd = read_invstd(channel);
  let slope = part.second * invstd;
  write_dbias(channel, part.first);
  write_dweight(channel, slope);
  write_terms(channel, read_weight(channel) * invstd);
  write_terms(n.channels + channel, part.first * n.share);
  write_terms(2u * n.channels + channel, slope * invstd * n.share);
  write_terms(3u * n.channels + channel, read_mean(channel));
  ${hasBias ? "write_terms(4u * n.channels + channel, read_bias(channel));" : ""}
`,
  } as const;
  return sumColumns(sums, width, subgroups);
}

/** For `elements`, after the code of `finish`: dx = (dy − offset − (x − mean) · slope) · scale. Numbers: count, channels. */
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
