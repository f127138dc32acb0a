/**
 * The micro-kernels: a tile of 6 rows and 8 or 16 columns, C += A · B, kept in registers over a whole block of K.
 *
 *     A   6 rows of floats, PITCH apart; element (r, k) at a + (r · PITCH + k) · 4
 *     B   a panel [k][8 or 16]
 *     C   6 rows anywhere: `rows` points at their six addresses, to which `offset` bytes are added
 *
 * The sum starts from `bias` (one row of the tile's width, the same for all rows), or where that is 0 from C itself.
 * Twelve sums, two pieces of B and one number of A fill the sixteen registers of a 128-bit machine; the wide tile is
 * for machines where V8 pairs 128-bit operations to 256 bits. It pairs what is next to each other: hence all loads,
 * then all arithmetic, then the stores in pairs. Both tiles add in the same order, so their results are the same bits.
 */

import { copyFloats, zeroFloats } from "./simd";

/** Floats from one row of A to the next: a block of K, and a bit more so that rows do not share cache sets. */
export const PITCH: usize = 304;

/**
 * Bytes from one row of A to the next. Added to addresses rather than given as constant offsets of loads: where V8 checks
 * bounds, it can then compare all six rows with one limit.
 */
const ROW: usize = PITCH * 4;

/** Rows of a tile. */
export const TILE_ROWS: i32 = 6;

/** The narrow tile: 6 × 8. */
export function micro6x8(a: usize, b: usize, depth: i32, rows: usize, offset: usize, bias: usize): void {
  let c00 = f32x4.splat(0), c01 = f32x4.splat(0);
  let c10 = f32x4.splat(0), c11 = f32x4.splat(0);
  let c20 = f32x4.splat(0), c21 = f32x4.splat(0);
  let c30 = f32x4.splat(0), c31 = f32x4.splat(0);
  let c40 = f32x4.splat(0), c41 = f32x4.splat(0);
  let c50 = f32x4.splat(0), c51 = f32x4.splat(0);
  const end = a + (<usize> depth << 2);
  for (; a < end; a += 4) {
    let b0 = v128.load(b), b1 = v128.load(b, 16);
    let x = v128.load32_splat(a);
    c00 = f32x4.relaxed_madd(x, b0, c00);
    c01 = f32x4.relaxed_madd(x, b1, c01);
    x = v128.load32_splat(a + ROW);
    c10 = f32x4.relaxed_madd(x, b0, c10);
    c11 = f32x4.relaxed_madd(x, b1, c11);
    x = v128.load32_splat(a + 2 * ROW);
    c20 = f32x4.relaxed_madd(x, b0, c20);
    c21 = f32x4.relaxed_madd(x, b1, c21);
    x = v128.load32_splat(a + 3 * ROW);
    c30 = f32x4.relaxed_madd(x, b0, c30);
    c31 = f32x4.relaxed_madd(x, b1, c31);
    x = v128.load32_splat(a + 4 * ROW);
    c40 = f32x4.relaxed_madd(x, b0, c40);
    c41 = f32x4.relaxed_madd(x, b1, c41);
    x = v128.load32_splat(a + 5 * ROW);
    c50 = f32x4.relaxed_madd(x, b0, c50);
    c51 = f32x4.relaxed_madd(x, b1, c51);
    b += 32;
  }
  let c: usize, s: usize;
  c = load<usize>(rows) + offset;
  s = bias ? bias : c;
  c00 = f32x4.add(c00, v128.load(s));
  c01 = f32x4.add(c01, v128.load(s, 16));
  v128.store(c, c00);
  v128.store(c, c01, 16);
  c = load<usize>(rows, 4) + offset;
  s = bias ? bias : c;
  c10 = f32x4.add(c10, v128.load(s));
  c11 = f32x4.add(c11, v128.load(s, 16));
  v128.store(c, c10);
  v128.store(c, c11, 16);
  c = load<usize>(rows, 8) + offset;
  s = bias ? bias : c;
  c20 = f32x4.add(c20, v128.load(s));
  c21 = f32x4.add(c21, v128.load(s, 16));
  v128.store(c, c20);
  v128.store(c, c21, 16);
  c = load<usize>(rows, 12) + offset;
  s = bias ? bias : c;
  c30 = f32x4.add(c30, v128.load(s));
  c31 = f32x4.add(c31, v128.load(s, 16));
  v128.store(c, c30);
  v128.store(c, c31, 16);
  c = load<usize>(rows, 16) + offset;
  s = bias ? bias : c;
  c40 = f32x4.add(c40, v128.load(s));
  c41 = f32x4.add(c41, v128.load(s, 16));
  v128.store(c, c40);
  v128.store(c, c41, 16);
  c = load<usize>(rows, 20) + offset;
  s = bias ? bias : c;
  c50 = f32x4.add(c50, v128.load(s));
  c51 = f32x4.add(c51, v128.load(s, 16));
  v128.store(c, c50);
  v128.store(c, c51, 16);
}

/** The wide tile: 6 × 16. */
export function micro6x16(a: usize, b: usize, depth: i32, rows: usize, offset: usize, bias: usize): void {
  let c00 = f32x4.splat(0), c01 = f32x4.splat(0), c02 = f32x4.splat(0), c03 = f32x4.splat(0);
  let c10 = f32x4.splat(0), c11 = f32x4.splat(0), c12 = f32x4.splat(0), c13 = f32x4.splat(0);
  let c20 = f32x4.splat(0), c21 = f32x4.splat(0), c22 = f32x4.splat(0), c23 = f32x4.splat(0);
  let c30 = f32x4.splat(0), c31 = f32x4.splat(0), c32 = f32x4.splat(0), c33 = f32x4.splat(0);
  let c40 = f32x4.splat(0), c41 = f32x4.splat(0), c42 = f32x4.splat(0), c43 = f32x4.splat(0);
  let c50 = f32x4.splat(0), c51 = f32x4.splat(0), c52 = f32x4.splat(0), c53 = f32x4.splat(0);
  const end = a + (<usize> depth << 2);
  for (; a < end; a += 4) {
    let b0 = v128.load(b), b1 = v128.load(b, 16), b2 = v128.load(b, 32), b3 = v128.load(b, 48);
    let x = v128.load32_splat(a);
    c00 = f32x4.relaxed_madd(x, b0, c00);
    c01 = f32x4.relaxed_madd(x, b1, c01);
    c02 = f32x4.relaxed_madd(x, b2, c02);
    c03 = f32x4.relaxed_madd(x, b3, c03);
    x = v128.load32_splat(a + ROW);
    c10 = f32x4.relaxed_madd(x, b0, c10);
    c11 = f32x4.relaxed_madd(x, b1, c11);
    c12 = f32x4.relaxed_madd(x, b2, c12);
    c13 = f32x4.relaxed_madd(x, b3, c13);
    x = v128.load32_splat(a + 2 * ROW);
    c20 = f32x4.relaxed_madd(x, b0, c20);
    c21 = f32x4.relaxed_madd(x, b1, c21);
    c22 = f32x4.relaxed_madd(x, b2, c22);
    c23 = f32x4.relaxed_madd(x, b3, c23);
    x = v128.load32_splat(a + 3 * ROW);
    c30 = f32x4.relaxed_madd(x, b0, c30);
    c31 = f32x4.relaxed_madd(x, b1, c31);
    c32 = f32x4.relaxed_madd(x, b2, c32);
    c33 = f32x4.relaxed_madd(x, b3, c33);
    x = v128.load32_splat(a + 4 * ROW);
    c40 = f32x4.relaxed_madd(x, b0, c40);
    c41 = f32x4.relaxed_madd(x, b1, c41);
    c42 = f32x4.relaxed_madd(x, b2, c42);
    c43 = f32x4.relaxed_madd(x, b3, c43);
    x = v128.load32_splat(a + 5 * ROW);
    c50 = f32x4.relaxed_madd(x, b0, c50);
    c51 = f32x4.relaxed_madd(x, b1, c51);
    c52 = f32x4.relaxed_madd(x, b2, c52);
    c53 = f32x4.relaxed_madd(x, b3, c53);
    b += 64;
  }
  let c: usize, s: usize;
  c = load<usize>(rows) + offset;
  s = bias ? bias : c;
  c00 = f32x4.add(c00, v128.load(s));
  c01 = f32x4.add(c01, v128.load(s, 16));
  c02 = f32x4.add(c02, v128.load(s, 32));
  c03 = f32x4.add(c03, v128.load(s, 48));
  v128.store(c, c00);
  v128.store(c, c01, 16);
  v128.store(c, c02, 32);
  v128.store(c, c03, 48);
  c = load<usize>(rows, 4) + offset;
  s = bias ? bias : c;
  c10 = f32x4.add(c10, v128.load(s));
  c11 = f32x4.add(c11, v128.load(s, 16));
  c12 = f32x4.add(c12, v128.load(s, 32));
  c13 = f32x4.add(c13, v128.load(s, 48));
  v128.store(c, c10);
  v128.store(c, c11, 16);
  v128.store(c, c12, 32);
  v128.store(c, c13, 48);
  c = load<usize>(rows, 8) + offset;
  s = bias ? bias : c;
  c20 = f32x4.add(c20, v128.load(s));
  c21 = f32x4.add(c21, v128.load(s, 16));
  c22 = f32x4.add(c22, v128.load(s, 32));
  c23 = f32x4.add(c23, v128.load(s, 48));
  v128.store(c, c20);
  v128.store(c, c21, 16);
  v128.store(c, c22, 32);
  v128.store(c, c23, 48);
  c = load<usize>(rows, 12) + offset;
  s = bias ? bias : c;
  c30 = f32x4.add(c30, v128.load(s));
  c31 = f32x4.add(c31, v128.load(s, 16));
  c32 = f32x4.add(c32, v128.load(s, 32));
  c33 = f32x4.add(c33, v128.load(s, 48));
  v128.store(c, c30);
  v128.store(c, c31, 16);
  v128.store(c, c32, 32);
  v128.store(c, c33, 48);
  c = load<usize>(rows, 16) + offset;
  s = bias ? bias : c;
  c40 = f32x4.add(c40, v128.load(s));
  c41 = f32x4.add(c41, v128.load(s, 16));
  c42 = f32x4.add(c42, v128.load(s, 32));
  c43 = f32x4.add(c43, v128.load(s, 48));
  v128.store(c, c40);
  v128.store(c, c41, 16);
  v128.store(c, c42, 32);
  v128.store(c, c43, 48);
  c = load<usize>(rows, 20) + offset;
  s = bias ? bias : c;
  c50 = f32x4.add(c50, v128.load(s));
  c51 = f32x4.add(c51, v128.load(s, 16));
  c52 = f32x4.add(c52, v128.load(s, 32));
  c53 = f32x4.add(c53, v128.load(s, 48));
  v128.store(c, c50);
  v128.store(c, c51, 16);
  v128.store(c, c52, 32);
  v128.store(c, c53, 48);
}

/** Longest block of K. */
export const DEPTH: i32 = 288;

/** Room that each thread has for a tile that hangs over the end of C: the tile, then the addresses of its rows. */
export const EDGE_BYTES: usize = 512;

/** One row of zeros: where a sum without bias starts. */
export const ZEROS: usize = memory.data(64, 16);

/** Length of the blocks in which `extent` steps of K are summed: all the same but the last. Never 0. */
export function blockDepth(extent: i32): i32 {
  const blocks = (extent + DEPTH - 1) / DEPTH;
  return blocks > 1 ? (extent + blocks - 1) / blocks : max(extent, 1);
}

function micro(
  tile: i32,
  a: usize,
  b: usize,
  depth: i32,
  rows: usize,
  offset: usize,
  bias: usize,
): void {
  if (tile == 8) micro6x8(a, b, depth, rows, offset, bias);
  else micro6x16(a, b, depth, rows, offset, bias);
}

/**
 * One column of tiles: `rowCount` rows of A times one panel of B, of which at least the first `columnCount` columns, up
 * to a whole tile, are in C. `edge` points at this thread's EDGE_BYTES.
 */
export function tiles(
  tile: i32,
  a: usize,
  b: usize,
  depth: i32,
  rows: usize,
  rowCount: i32,
  offset: usize,
  columnCount: i32,
  bias: usize,
  edge: usize,
): void {
  for (let row = 0; row < rowCount; row += TILE_ROWS) {
    const aTile = a + <usize> row * PITCH * 4, addresses = rows + (<usize> row << 2);
    if (row + TILE_ROWS <= rowCount && columnCount >= tile) {
      micro(tile, aTile, b, depth, addresses, offset, bias);
    } else {
      edgeTile(
        tile,
        aTile,
        b,
        depth,
        addresses,
        min(rowCount - row, TILE_ROWS),
        offset,
        columnCount,
        bias,
        edge,
      );
    }
  }
}

/** A tile of which C has only some rows or columns. */
function edgeTile(
  tile: i32,
  a: usize,
  b: usize,
  depth: i32,
  rows: usize,
  rowCount: i32,
  offset: usize,
  columnCount: i32,
  bias: usize,
  edge: usize,
): void {
  const pitch = <usize> tile << 2, addresses = edge + <usize> TILE_ROWS * pitch;
  const columns = min(tile, columnCount);
  zeroFloats(edge, TILE_ROWS * tile);
  for (let row = 0; row < TILE_ROWS; row++) {
    const at = edge + <usize> row * pitch;
    store<usize>(addresses + (<usize> row << 2), at);
    if (row >= rowCount) continue;
    copyFloats(at, bias ? bias : load<usize>(rows + (<usize> row << 2)) + offset, columns);
  }
  micro(tile, a, b, depth, addresses, 0, 0);
  for (let row = 0; row < rowCount; row++) {
    copyFloats(load<usize>(rows + (<usize> row << 2)) + offset, edge + <usize> row * pitch, columns);
  }
}
