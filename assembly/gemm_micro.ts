/**
 * The micro-kernels: a tile of 6 rows and 8 or 16 columns, C += A · B, kept in registers over a whole block of K.
 *
 *     A   6 rows of floats, `pitch` bytes apart; element (r, k) at a + r · pitch + k · 4
 *     B   a panel [k][8 or 16]
 *     C   6 rows anywhere: `rows` points at their six addresses, to which `offset` bytes are added
 *
 * The sum starts from `bias` (one row of the tile's width, the same for all rows), or where that is 0 from C itself.
 * Twelve sums, two pieces of B and one number of A fill the fifteen registers that V8 gives out; the wide tile is
 * for machines where V8 pairs 128-bit operations to 256 bits. It pairs what is next to each other: hence all loads,
 * then all arithmetic, then the stores in pairs. Both tiles add in the same order, so their results are the same bits.
 *
 * The kernels themselves are in gemm_tiles.ts. Four steps of K are one round of their loop: a row's address is computed
 * once a round, by addition, and the steps are constant offsets to it. Where V8 checks bounds, it does so with one limit
 * for all rows at that offset.
 */
import { DEPTH, EDGE_BYTES, PITCH, TILE_ROWS } from "./gemm_limits";
import { copyFloats, zeroFloats } from "./simd";
import { micro6x16, micro6x8 } from "./gemm_tiles";

export { DEPTH, EDGE_BYTES, PITCH, TILE_ROWS };

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
  pitch: usize,
  b: usize,
  depth: i32,
  rows: usize,
  offset: usize,
  bias: usize,
): void {
  if (tile == 8) micro6x8(a, pitch, b, depth, rows, offset, bias);
  else micro6x16(a, pitch, b, depth, rows, offset, bias);
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
  pitch: usize = PITCH * 4,
): void {
  for (let row = 0; row < rowCount; row += TILE_ROWS) {
    const aTile = a + <usize> row * pitch, addresses = rows + (<usize> row << 2);
    if (row + TILE_ROWS <= rowCount && columnCount >= tile) {
      micro(tile, aTile, pitch, b, depth, addresses, offset, bias);
    } else {
      edgeTile(
        tile,
        aTile,
        pitch,
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
  pitch: usize,
  b: usize,
  depth: i32,
  rows: usize,
  rowCount: i32,
  offset: usize,
  columnCount: i32,
  bias: usize,
  edge: usize,
): void {
  const edgePitch = <usize> tile << 2, addresses = edge + <usize> TILE_ROWS * edgePitch;
  const columns = min(tile, columnCount);
  zeroFloats(edge, TILE_ROWS * tile);
  for (let row = 0; row < TILE_ROWS; row++) {
    const at = edge + <usize> row * edgePitch;
    store<usize>(addresses + (<usize> row << 2), at);
    if (row >= rowCount) continue;
    copyFloats(at, bias ? bias : load<usize>(rows + (<usize> row << 2)) + offset, columns);
  }
  micro(tile, a, pitch, b, depth, addresses, 0, 0);
  for (let row = 0; row < rowCount; row++) {
    copyFloats(load<usize>(rows + (<usize> row << 2)) + offset, edge + <usize> row * edgePitch, columns);
  }
}
