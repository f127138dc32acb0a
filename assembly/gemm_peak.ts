/** Loops that the host times, to find out how fast the micro-kernels are here: core/backend/wasm/calibrate.ts. */
import { address, integer } from "./abi";
import { PITCH, TILE_ROWS } from "./gemm_micro";
import { micro6x16, micro6x8 } from "./gemm_tiles";

/** Depth of the block on which the micro-kernel is timed. */
const PEAK_DEPTH: i32 = 256;

const PEAK_SCRATCH: usize = 32768;

/**
 * Runs the micro-kernel again and again on one block that stays in the nearest cache, for the host to time: an iteration
 * is 6 · tile · 256 multiply-adds. The first `threads` threads do so at once, each on a block of its own.
 * Arguments: scratch (32 KiB a thread), iterations, tile, threads.
 */
export function gemmPeak(args: usize, thread: i32): void {
  if (thread >= integer(args, 3)) return;
  const a = address(args, 0) + <usize> thread * PEAK_SCRATCH,
    iterations = integer(args, 1),
    tile = integer(args, 2);
  const b = a + <usize> TILE_ROWS * PITCH * 4, c = b + <usize> PEAK_DEPTH * 64;
  const rows = c + <usize> TILE_ROWS * 64;
  memory.fill(a, 0, rows - a);
  for (let row: usize = 0; row < <usize> TILE_ROWS; row++) store<usize>(rows + (row << 2), c + (row << 6));
  for (let i = 0; i < iterations; i++) {
    if (tile == 8) micro6x8(a, PITCH * 4, b, PEAK_DEPTH, rows, 0, 0);
    else micro6x16(a, PITCH * 4, b, PEAK_DEPTH, rows, 0, 0);
  }
}

/**
 * A loop that V8 cannot pair to 256 bits, to compare with: as many multiply-adds an iteration as the narrow tile's, with
 * twelve sums that end up apart. It has no loads, so that it is as fast as 128 bits can be. Arguments: gemmPeak's.
 */
export function unpairedPeak(args: usize, thread: i32): void {
  if (thread >= integer(args, 3)) return;
  const at = address(args, 0) + <usize> thread * PEAK_SCRATCH, iterations = integer(args, 1);
  memory.fill(at, 0, 12 * 48);
  const x = v128.load(at), y = v128.load(at, 48);
  let c0 = x, c1 = x, c2 = x, c3 = x, c4 = x, c5 = x, c6 = x, c7 = x, c8 = x, c9 = x, c10 = x, c11 = x;
  for (let i = 0; i < iterations * PEAK_DEPTH; i++) {
    c0 = f32x4.relaxed_madd(x, y, c0);
    c1 = f32x4.relaxed_madd(x, y, c1);
    c2 = f32x4.relaxed_madd(x, y, c2);
    c3 = f32x4.relaxed_madd(x, y, c3);
    c4 = f32x4.relaxed_madd(x, y, c4);
    c5 = f32x4.relaxed_madd(x, y, c5);
    c6 = f32x4.relaxed_madd(x, y, c6);
    c7 = f32x4.relaxed_madd(x, y, c7);
    c8 = f32x4.relaxed_madd(x, y, c8);
    c9 = f32x4.relaxed_madd(x, y, c9);
    c10 = f32x4.relaxed_madd(x, y, c10);
    c11 = f32x4.relaxed_madd(x, y, c11);
  }
  v128.store(at, c0);
  v128.store(at, c1, 48);
  v128.store(at, c2, 96);
  v128.store(at, c3, 144);
  v128.store(at, c4, 192);
  v128.store(at, c5, 240);
  v128.store(at, c6, 288);
  v128.store(at, c7, 336);
  v128.store(at, c8, 384);
  v128.store(at, c9, 432);
  v128.store(at, c10, 480);
  v128.store(at, c11, 528);
}
