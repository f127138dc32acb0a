/**
 * Convolutions of narrow groups (depthwise, ResNeXt's), without tiles: these would be nearly empty. An invocation makes one number, or four
 * where groups are single channels; its neighbours the next channels, so that reads lie side by side.
 *
 * Numbers of all: count, groups' channels (in_group) and outputs (out_group), channels and out (of x and y in all), height and
 * width of x, rows and columns of y, taps as (down, across) of the kernel: kernel_rows, kernel_columns, stride_y, stride_x, top,
 * left, dilation_y, dilation_x.
 */
import type { Width } from "./formula.ts";
import type { Sums } from "./reduce.ts";

/** The taps (r, s) of output (line, column) that see a pixel of x, which is `pixel`; `body` is done for each. */
const forwardTaps = (body: string) =>
  `for (var r = 0u; r < n.kernel_rows; r++) {
    let y = i32((line % n.rows) * n.stride_y + r * n.dilation_y) - i32(n.top);
    if (y < 0 || u32(y) >= n.height) { continue; }
    for (var s = 0u; s < n.kernel_columns; s++) {
      let x = i32(column * n.stride_x + s * n.dilation_x) - i32(n.left);
      if (x < 0 || u32(x) >= n.width) { continue; }
      let pixel = (image + u32(y)) * n.width + u32(x);
      ${body}
    }
  }`;

/** The same the other way round: the taps by which input (line, column) reached an output, which is `pixel`. */
const gradTaps = (body: string) =>
  `for (var r = 0u; r < n.kernel_rows; r++) {
    let y = i32(line % n.height + n.top) - i32(r * n.dilation_y);
    if (y < 0 || u32(y) % n.stride_y != 0u || u32(y) / n.stride_y >= n.rows) { continue; }
    for (var s = 0u; s < n.kernel_columns; s++) {
      let x = i32(column + n.left) - i32(s * n.dilation_x);
      if (x < 0 || u32(x) % n.stride_x != 0u || u32(x) / n.stride_x >= n.columns) { continue; }
      let pixel = (image + u32(y) / n.stride_y) * n.columns + u32(x) / n.stride_x;
      ${body}
    }
  }`;

/** For `elements`, after the code of `finish`: y. `width` is that in which a group's channels are read. */
export const narrowForward = (width: Width) => ({
  helpers: `
fn y_at(i: u32) -> f32 {
  let o = i % n.out;
  let column = (i / n.out) % n.columns;
  let line = i / n.out / n.columns;
  let image = (line / n.rows) * n.height;
  let first = (o / n.out_group) * n.in_group;
  var sum = 0.0;
  ${
    forwardTaps(`let start = pixel * n.channels + first;
      let weights = ((o * n.kernel_rows + r) * n.kernel_columns + s) * n.in_group;
      ${
      width === "f32"
        ? "for (var c = 0u; c < n.in_group; c++) { sum += read_x(start + c) * read_w(weights + c); }"
        : "for (var c = 0u; c < n.in_group / 4u; c++) { sum += dot(read_x(start / 4u + c), read_w(weights / 4u + c)); }"
    }`)
  }
  return finish(sum, i, o);
}
`,
  formula: "y_at(i)",
});

/** For `elements`, after the code of `finish`: dx. */
export const narrowGradInput = {
  helpers: `
fn dx_at(i: u32) -> f32 {
  let channel = i % n.channels;
  let column = (i / n.channels) % n.width;
  let line = i / n.channels / n.width;
  let image = (line / n.height) * n.rows;
  let c = channel % n.in_group;
  let first = (channel / n.in_group) * n.out_group;
  var sum = 0.0;
  ${
    gradTaps(`let start = pixel * n.out + first;
      for (var o = 0u; o < n.out_group; o++) {
        let weight = (((first + o) * n.kernel_rows + r) * n.kernel_columns + s) * n.in_group + c;
        sum += read_dy(start + o) * read_w(weight);
      }`)
  }
  return finish(sum, i, channel);
}
`,
  formula: "dx_at(i)",
};

/** The weights of four channels' filters, of one number each, at tap (r, s). */
const fourWeights = `
fn weights_at(channel: u32, r: u32, s: u32) -> vec4f {
  let taps = n.kernel_rows * n.kernel_columns;
  let at = 4u * channel * taps + r * n.kernel_columns + s;
  return vec4f(read_w(at), read_w(at + taps), read_w(at + 2u * taps), read_w(at + 3u * taps));
}
`;

/** For `elements`, after the code of `finish`: y of a depthwise convolution, four channels at a time. */
export const depthwiseForward = {
  helpers: `${fourWeights}
fn y_at(i: u32) -> vec4f {
  let fours = n.channels / 4u;
  let channel = i % fours;
  let column = (i / fours) % n.columns;
  let line = i / fours / n.columns;
  let image = (line / n.rows) * n.height;
  var sum = vec4f();
  ${forwardTaps(`sum += read_x(pixel * fours + channel) * weights_at(channel, r, s);`)}
  return finish(sum, i, channel);
}
`,
  formula: "y_at(i)",
};

/** For `elements`, after the code of `finish`: dx of a depthwise convolution, four channels at a time. */
export const depthwiseGradInput = {
  helpers: `${fourWeights}
fn dx_at(i: u32) -> vec4f {
  let fours = n.channels / 4u;
  let channel = i % fours;
  let column = (i / fours) % n.width;
  let line = i / fours / n.width;
  let image = (line / n.height) * n.rows;
  var sum = vec4f();
  ${
    gradTaps(`let at = pixel * fours + channel;
      sum += read_dy(at) * weights_at(channel, r, s);`)
  }
  return finish(sum, i, channel);
}
`,
  formula: "dx_at(i)",
};

/**
 * For `sumColumns`: parts [blocks, channels] of dw, a block some pixels; `channels` here are all weights, in the order (tap, channel of the group,
 * output), so that neighbours read neighbouring outputs. x has `pitch` channels in all.
 */
export const narrowGradWeight: Sums = {
  count: 1,
  add: `
      let o = channel % n.out;
      let c = (channel / n.out) % n.in_group;
      let tap = channel / n.out / n.in_group;
      let line = at_row / n.columns;
      let y = i32((line % n.image_rows) * n.stride_y + (tap / n.kernel_columns) * n.dilation_y) - i32(n.top);
      let x = i32((at_row % n.columns) * n.stride_x + (tap % n.kernel_columns) * n.dilation_x) - i32(n.left);
      if (y >= 0 && u32(y) < n.height && x >= 0 && u32(x) < n.width) {
        let pixel = ((line / n.image_rows) * n.height + u32(y)) * n.width + u32(x);
        part.first += read_dy(at_row * n.out + o) * read_x(pixel * n.pitch + (o / n.out_group) * n.in_group + c);
      }
`,
  end: "write_parts(block * n.channels + channel, part.first);",
};

/** For `sumColumns`: dw from the blocks' parts, in the filters' own order. Numbers: rows = blocks, channels, block, out, each (weights of an output). */
export const narrowSum: Sums = {
  count: 1,
  add: "part.first += read_parts(at);",
  end: "write_dw((channel % n.out) * n.each + channel / n.out, part.first);",
};
