/**
 * The sides of products that are convolutions, gathered straight from images: no matrix of patches exists.
 *
 * A convolution is a list of taps, each three words of `taps`: how far below and right of an output's place (times the stride) it
 * looks, and its place in the filter. Along K lie the taps and within each its channels. Images are [N, height, width,
 * pitch] of which a group has `channels`; outputs are rows × columns an image.
 *
 * Divisions are dear, and a round of a product has one for each patch at most: what a row knows and what a step knows are worked
 * out apart, and what is read lies at the sum of their offsets, as unsigned numbers that may wrap round on the way.
 */
import type { Operand } from "./tiles.ts";

/** Whether the numbers are read four at a time. */
export interface Reading {
  readonly four: boolean;
}

const typeOf = (four: boolean) => four ? "vec4f" : "f32";

/** Defines `side_at`: what is read where place and step are `inside`, else 0; reading something in any case costs less than a branch. */
function at(side: "a" | "b", name: string, four: boolean, inside: string): string {
  const offset = "select(0u, place.offset + step.offset, inside)";
  return `
fn ${side}_at(place: Place, step: Step) -> ${typeOf(four)} {
  let inside = place.inside && step.k < n.k${inside};
  return select(${typeOf(four)}(), read_${name}(${offset}${four ? " / 4u" : ""}), inside);
}
`;
}

/** Whether the pixel lies in the image; place and step have the (y, x) of a pixel and of a tap, whichever is which. */
const IN_IMAGE = " && u32(place.y + step.y) < n.height && u32(place.x + step.x) < n.width";

/** What a tap and a channel see of an image, beside a pixel: tap and channel are i's. */
const tapOf = `
  let tap = 3u * (i / n.channels);
  let y = read_taps(tap);
  let x = read_taps(tap + 1u);
  let offset = u32(y * i32(n.width) + x) * n.pitch + i % n.channels;
`;

/** The output pixel i, as what it sees of the images with a tap that looks nowhere else. */
const pixelOf = `
  let column = i % n.columns;
  let line = i / n.columns;
  let y = line % n.rows * n.stride_y;
  let x = column * n.stride_x;
  let offset = ((line / n.rows * n.height + y) * n.width + x) * n.pitch;
`;

/** A of a matrix whose rows lie `pitch` apart: x[i][k]. Numbers: m, k, pitch, channels. */
export function rowsOperand({ four }: Reading): Operand {
  return {
    along: "k",
    four,
    code: `
fn a_place(i: u32, group: u32) -> Place { return Place(i * n.pitch + group * n.channels, 0, 0, i < n.m); }
fn a_step(k: u32) -> Step { return Step(k, k, 0, 0); }
fn a_next(step: Step) -> Step { return a_step(step.k + 1u); }
${at("a", "x", four, "")}`,
  };
}

/** A of images: row i is a pixel, k a tap and a channel. Numbers: m, k, pitch, channels, height, width, rows, columns, stride_y, stride_x. */
export function gatheredOperand({ four }: Reading): Operand {
  return {
    along: "k",
    four,
    code: `
fn a_place(i: u32, group: u32) -> Place {${pixelOf}
  return Place(offset + group * n.channels, i32(y), i32(x), i < n.m);
}
fn a_step(k: u32) -> Step {
  let i = min(k, n.k - 1u);${tapOf}
  return Step(k, offset, y, x);
}
fn a_next(step: Step) -> Step { return a_step(step.k + 1u); }
${at("a", "x", four, IN_IMAGE)}`,
  };
}

/**
 * B of filters: column i at K's tap and channel. Numbers: n, k, channels, w_group, w_column, w_tap, w_channel: how far apart groups,
 * columns, taps and channels lie; of columns and channels one is 1, and vectors lie along it. `whole`: channels are whole
 * fours, so that four steps have a tap in common.
 */
export function filterOperand(
  { four, along, whole }: Reading & { readonly along: "k" | "mn"; readonly whole: boolean },
): Operand {
  const next = whole ? "Step(step.k + 1u, step.offset + n.w_channel, 0, 0)" : "b_step(step.k + 1u)";
  return {
    along,
    four,
    code: `
fn b_place(i: u32, group: u32) -> Place { return Place(group * n.w_group + i * n.w_column, 0, 0, i < n.n); }
fn b_step(k: u32) -> Step {
  let i = min(k, n.k - 1u);
  let tap = u32(read_taps(3u * (i / n.channels) + 2u));
  return Step(k, tap * n.w_tap + i % n.channels * n.w_channel, 0, 0);
}
fn b_next(step: Step) -> Step { return ${next}; }
${at("b", "w", four, "")}`,
  };
}

/** A of a gradient, turned round: dy[k][i], k a pixel. Numbers: m, k, out (channels of dy). */
export function turnedOperand({ four }: Reading): Operand {
  return {
    along: "mn",
    four,
    code: `
fn a_place(i: u32, group: u32) -> Place { return Place(group * n.m + i, 0, 0, i < n.m); }
fn a_step(k: u32) -> Step { return Step(k, k * n.out, 0, 0); }
fn a_next(step: Step) -> Step { return Step(step.k + 1u, step.offset + n.out, 0, 0); }
${at("a", "dy", four, "")}`,
  };
}

/** B of the images that a filter saw: column i is a tap and a channel, k a pixel. Numbers as those of `gatheredOperand`, and n. */
export function seenOperand({ four }: Reading): Operand {
  return {
    along: "mn",
    four,
    code: `
fn b_place(column: u32, group: u32) -> Place {
  let i = min(column, n.n - 1u);${tapOf}
  return Place(offset + group * n.channels, y, x, column < n.n);
}
fn b_step(k: u32) -> Step {
  let i = k;${pixelOf}
  return Step(k, offset, i32(y), i32(x));
}
/** The pixel to the right, or the first of the next line, or of the next image. */
fn b_next(step: Step) -> Step {
  var next = Step(step.k + 1u, step.offset + n.stride_x * n.pitch, step.y, step.x + i32(n.stride_x));
  if (u32(next.x) == n.columns * n.stride_x) {
    next.x = 0;
    next.y += i32(n.stride_y);
    next.offset += (n.stride_y * n.width - n.columns * n.stride_x) * n.pitch;
    if (u32(next.y) == n.rows * n.stride_y) {
      next.y = 0;
      next.offset += (n.height - n.rows * n.stride_y) * n.width * n.pitch;
    }
  }
  return next;
}
${at("b", "x", four, IN_IMAGE)}`,
  };
}

/**
 * Where results go: pixel `row` of rows × columns an image, at out_start + image · out_image + y · out_row + x · out_column, its group's
 * columns. Behind `finish`, which is told the place and the channel. Numbers: m, n, and those.
 */
export function storePixels({ four }: Reading): string {
  return `
fn store(row: u32, column: u32, sums: vec4f, group: u32, slice: u32) {
  if (row >= n.m || column >= n.n) { return; }
  let x = row % n.columns;
  let line = row / n.columns;
  let channel = group * n.n + column;
  let at = n.out_start + (line / n.rows) * n.out_image + (line % n.rows) * n.out_row + x * n.out_column + channel;
  ${writeFour("y", four, true)}
}
`;
}

/** Rows of results in a row: m × (groups · n) numbers for each slice. Numbers: m, n, groups. */
export function storeParts({ four }: Reading): string {
  return `
fn store(row: u32, column: u32, sums: vec4f, group: u32, slice: u32) {
  if (row >= n.m || column >= n.n) { return; }
  let channel = group * n.n + column;
  let at = (slice * n.m + row) * n.groups * n.n + channel;
  ${writeFour("parts", four, false)}
}
`;
}

/** Filters in a row, those of a group after those of the one before; for each slice. Numbers: m, n, groups. */
export function storeFilters({ four }: Reading): string {
  return `
fn store(row: u32, column: u32, sums: vec4f, group: u32, slice: u32) {
  if (row >= n.m || column >= n.n) { return; }
  let at = ((slice * n.groups + group) * n.m + row) * n.n + column;
  let channel = 0u;
  ${writeFour("parts", four, false)}
}
`;
}

function writeFour(name: string, four: boolean, finished: boolean): string {
  const value = (x: string, at: string, channel: string) => finished ? `finish(${x}, ${at}, ${channel})` : x;
  if (four) return `write_${name}(at / 4u, ${value("sums", "at / 4u", "channel / 4u")});`;
  return `for (var i = 0u; i < min(4u, n.n - column); i++) {
    write_${name}(at + i, ${value("sums[i]", "at + i", "channel + i")});
  }`;
}
