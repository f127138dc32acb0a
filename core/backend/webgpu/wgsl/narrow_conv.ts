/**
 * Convolutions of narrow groups (depthwise, ResNeXt's), without tiles: these would be nearly empty. An invocation makes one number; its
 * neighbours the next channels, so that reads lie side by side.
 *
 * Numbers of all: count, groups' channels (in_group) and outputs (out_group), channels and out (of x and y in all), height and
 * width of x, rows and columns of y, taps as (down, across) of the kernel: kernel_rows, kernel_columns, stride_y, stride_x, top,
 * left, dilation_y, dilation_x.
 */
import type { Sums } from "./reduce.ts";

/** For `elements` behind `finish`: y. */
export const narrowForward = {
  helpers: `
fn y_at(i: u32) -> f32 {
  let o = i % n.out;
  let column = (i / n.out) % n.columns;
  let line = i / n.out / n.columns;
  let image = (line / n.rows) * n.height;
  let first = (o / n.out_group) * n.in_group;
  var sum = 0.0;
  for (var r = 0u; r < n.kernel_rows; r++) {
    let y = i32((line % n.rows) * n.stride_y + r * n.dilation_y) - i32(n.top);
    if (y < 0 || u32(y) >= n.height) { continue; }
    for (var s = 0u; s < n.kernel_columns; s++) {
      let x = i32(column * n.stride_x + s * n.dilation_x) - i32(n.left);
      if (x < 0 || u32(x) >= n.width) { continue; }
      let start = ((image + u32(y)) * n.width + u32(x)) * n.channels + first;
      let weights = ((o * n.kernel_rows + r) * n.kernel_columns + s) * n.in_group;
      for (var c = 0u; c < n.in_group; c++) { sum += read_x(start + c) * read_w(weights + c); }
    }
  }
  return finish(sum, i, o);
}
`,
  formula: "y_at(i)",
};

/** For `elements` behind `finish`: dx. */
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
  for (var r = 0u; r < n.kernel_rows; r++) {
    let y = i32(line % n.height + n.top) - i32(r * n.dilation_y);
    if (y < 0 || u32(y) % n.stride_y != 0u || u32(y) / n.stride_y >= n.rows) { continue; }
    for (var s = 0u; s < n.kernel_columns; s++) {
      let x = i32(column + n.left) - i32(s * n.dilation_x);
      if (x < 0 || u32(x) % n.stride_x != 0u || u32(x) / n.stride_x >= n.columns) { continue; }
      let start = ((image + u32(y) / n.stride_y) * n.columns + u32(x) / n.stride_x) * n.out + first;
      for (var o = 0u; o < n.out_group; o++) {
        let weight = (((first + o) * n.kernel_rows + r) * n.kernel_columns + s) * n.in_group + c;
        sum += read_dy(start + o) * read_w(weight);
      }
    }
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
