/** The limits of the GEMM's kernels, which core/backend/wasm/lower/gemm.ts must know too: a test compares them. */

/** Rows of a tile. */
export const TILE_ROWS: i32 = 6;

/** Longest block of K. */
export const DEPTH: i32 = 288;

/** Floats from one row of A to the next: a block of K, and a bit more so that rows do not share cache sets. */
export const PITCH: usize = 304;

/** Room that each thread has for a tile that hangs over the end of C: the tile, then the addresses of its rows. */
export const EDGE_BYTES: usize = 512;
