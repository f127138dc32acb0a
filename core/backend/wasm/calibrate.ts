/** Chooses the GEMM's register tile by a few milliseconds of measurement, see assembly/gemm_micro.ts. */
import type { Pool } from "./pool.ts";

export type Tile = 8 | 16;

const SCRATCH_BYTES = 32768;
const ITERATIONS = 100;
/** Long enough for V8 to have optimised both micro-kernels. */
const MILLISECONDS = 30;

/** Multiply-adds of one iteration of `gemmPeak`, for each column of the tile. */
const WORK_PER_COLUMN = 6 * 256;

/**
 * The tile that does more work a second here: 16 columns where V8 pairs 128-bit operations to 256 bits, 8 where it
 * does not and 16 would spill registers. Both give the same bits.
 */
export async function fasterTile(pool: Pool): Promise<Tile> {
  const start = pool.allocate(SCRATCH_BYTES + 256);
  if (start === undefined) return 8;
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
  return best[16] > best[8] ? 16 : 8;
}
