/** Chooses the GEMM's register tile by a few milliseconds of measurement, see assembly/gemm_micro.ts. */
import type { Pool } from "./pool.ts";

export type Tile = 8 | 16;

export interface Calibration {
  readonly tile: Tile;
  /** How wide the arithmetic really is, judged by its speed. */
  readonly bits: 128 | 256;
}

const SCRATCH_BYTES = 32768;
const ITERATIONS = 100;
/** V8 has optimised both micro-kernels after about ten. */
const MILLISECONDS = 30;

/** By how much the wide tile must be faster to be 256 bits wide: 1.5 was seen on a busy machine, 2 on an idle one. */
const PAIRED = 1.25;

/** Multiply-adds of one iteration of `gemmPeak`, for each column of the tile. */
const WORK_PER_COLUMN = 6 * 256;

/**
 * The tile that does more work a second here: 16 columns where V8 pairs 128-bit operations to 256 bits, mostly 8 where
 * it does not, since 16 then spill registers. Both give the same bits.
 */
export async function calibrate(pool: Pool): Promise<Calibration> {
  const start = pool.allocate(SCRATCH_BYTES + 256);
  if (start === undefined) return { tile: 8, bits: 128 };
  const args = start + SCRATCH_BYTES;
  const program = args + 64;
  const words = new Int32Array(pool.memory.buffer);
  words.set([pool.kernelIndex("gemmPeak"), args], program / 4);

  const rate = async (tile: Tile) => {
    words.set([0, start, ITERATIONS, tile], args / 4);
    const begun = performance.now();
    await pool.run(program, 1);
    return tile * WORK_PER_COLUMN * ITERATIONS / (performance.now() - begun);
  };
  const best = { 8: 0, 16: 0 };
  for (const end = performance.now() + MILLISECONDS; performance.now() < end;) {
    for (const tile of [8, 16] as const) best[tile] = Math.max(best[tile], await rate(tile));
  }
  pool.free(start);
  return { tile: best[16] > best[8] ? 16 : 8, bits: best[16] > PAIRED * best[8] ? 256 : 128 };
}
