/**
 * The sides of products that are convolutions, gathered straight from images: no matrix of patches exists.
 *
 * A convolution is a list of taps, each three words of `taps`: how far below and right of an output's place (times the stride) it
 * looks, and its place in the filter. Along K lie the taps and within each its channels. Images are [N, height, width,
 * pitch] of which a group has `channels`; outputs are rows × columns an image.
 */
import type { Operand } from "./gemm.ts";

/** Whether the numbers are read four at a time. */
export interface Reading {
  readonly four: boolean;
}

/** Returns the number (or four) at `at` where it is `inside`, else 0: reading something in any case costs less than a branch. */
function readInside(name: string, at: string, four: boolean): string {
  const value = `read_${name}(select(0u, ${four ? `(${at}) / 4u` : at}, inside))`;
  return `return select(${typeOf(four)}(), ${value}, inside);`;
}

/** `side_load` from `side_at(place, k)`, which gives one number or four. */
function load(side: "a" | "b", along: "k" | "mn", four: boolean): string {
  const name = side.toUpperCase();
  if (four) {
    return `fn ${side}_load(place: ${name}Place, k: u32) -> vec4f { return ${side}_at(place, k, 0u); }`;
  }
  const next = along === "k" ? `${side}_at(place, k + i, 0u)` : `${side}_at(place, k, i)`;
  return `fn ${side}_load(place: ${name}Place, k: u32) -> vec4f {
  var four = vec4f();
  for (var i = 0u; i < 4u; i++) { four[i] = ${next}; }
  return four;
}`;
}

const typeOf = (four: boolean) => four ? "vec4f" : "f32";

/** A of a matrix whose rows lie `pitch` apart: x[i][k]. Numbers: m, k, pitch, channels. */
export function rowsOperand({ four }: Reading): Operand {
  return {
    along: "k",
    code: `
struct APlace { start: u32, inside: bool }
fn a_place(i: u32, group: u32) -> APlace { return APlace(i * n.pitch + group * n.channels, i < n.m); }
fn a_at(place: APlace, k: u32, other: u32) -> ${typeOf(four)} {
  let inside = place.inside && k < n.k;
  ${readInside("x", "place.start + k", four)}
}
${load("a", "k", four)}
`,
  };
}

/** A of images. Numbers: m, k, pitch, channels, height, width, rows, columns, stride_y, stride_x. */
export function gatheredOperand({ four }: Reading): Operand {
  return {
    along: "k",
    code: `
struct APlace { image: u32, y: i32, x: i32, channel: u32, inside: bool }
fn a_place(i: u32, group: u32) -> APlace {
  let column = i % n.columns;
  let line = i / n.columns;
  let image = (line / n.rows) * n.height * n.width;
  let y = i32((line % n.rows) * n.stride_y);
  let x = i32(column * n.stride_x);
  return APlace(image, y, x, group * n.channels, i < n.m);
}
fn a_at(place: APlace, k: u32, other: u32) -> ${typeOf(four)} {
  let tap = select(0u, 3u * (k / n.channels), k < n.k);
  let y = place.y + read_taps(tap);
  let x = place.x + read_taps(tap + 1u);
  // As unsigned numbers, those below 0 are beyond any extent.
  let inside = place.inside && k < n.k && u32(y) < n.height && u32(x) < n.width;
  let pixel = place.image + u32(y) * n.width + u32(x);
  ${readInside("x", "pixel * n.pitch + place.channel + k % n.channels", four)}
}
${load("a", "k", four)}
`,
  };
}

/**
 * B of filters: column i at K's tap and channel. Numbers: n, k, channels, w_group, w_column, w_tap, w_channel: how far apart groups,
 * columns, taps and channels lie; of columns and channels one is 1, and vectors lie along it.
 */
export function filterOperand({ four, along }: Reading & { readonly along: "k" | "mn" }): Operand {
  return {
    along,
    code: `
struct BPlace { start: u32, column: u32 }
fn b_place(i: u32, group: u32) -> BPlace { return BPlace(group * n.w_group + i * n.w_column, i); }
fn b_at(place: BPlace, k: u32, other: u32) -> ${typeOf(four)} {
  let inside = place.column + other < n.n && k < n.k;
  let tap = u32(read_taps(select(0u, 3u * (k / n.channels), inside) + 2u));
  let at = place.start + other * n.w_column + tap * n.w_tap + (k % n.channels) * n.w_channel;
  ${readInside("w", "at", four)}
}
${load("b", along, four)}
`,
  };
}

/** A of a gradient, turned round: dy[k][i], k a pixel. Numbers: m, k, out (channels of dy). */
export function turnedOperand({ four }: Reading): Operand {
  return {
    along: "mn",
    code: `
struct APlace { start: u32, row: u32 }
fn a_place(i: u32, group: u32) -> APlace { return APlace(group * n.m + i, i); }
fn a_at(place: APlace, k: u32, other: u32) -> ${typeOf(four)} {
  let inside = place.row + other < n.m && k < n.k;
  ${readInside("dy", "k * n.out + place.start + other", four)}
}
${load("a", "mn", four)}
`,
  };
}

/** B of the images that a filter saw: column i is a tap and a channel, k a pixel. Numbers as those of `gatheredOperand`, and n. */
export function seenOperand({ four }: Reading): Operand {
  return {
    along: "mn",
    code: `
struct BPlace { column: u32, channel: u32 }
fn b_place(i: u32, group: u32) -> BPlace { return BPlace(i, group * n.channels); }
fn b_at(place: BPlace, k: u32, other: u32) -> ${typeOf(four)} {
  let i = place.column + other;
  let tap = select(0u, 3u * (i / n.channels), i < n.n);
  let column = k % n.columns;
  let line = k / n.columns;
  let y = i32((line % n.rows) * n.stride_y) + read_taps(tap);
  let x = i32(column * n.stride_x) + read_taps(tap + 1u);
  let inside = i < n.n && k < n.k && u32(y) < n.height && u32(x) < n.width;
  let pixel = ((line / n.rows) * n.height + u32(y)) * n.width + u32(x);
  ${readInside("x", "pixel * n.pitch + place.channel + i % n.channels", four)}
}
${load("b", "mn", four)}
`,
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
