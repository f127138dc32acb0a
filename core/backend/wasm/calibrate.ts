/** What the GEMM's micro-kernel can do here, measured: see `gemmPeak` in assembly/gemm.ts. */
import { OutOfMemory } from "../backend.ts";
import type { Pool } from "./pool.ts";
import { readTimes, timesBytes } from "./timed_walk.ts";

export type Tile = 8 | 16;

export interface Calibration {
  readonly tile: Tile;
  /** How wide the arithmetic really is, judged by its speed. */
  readonly bits: 128 | 256;
}

const SCRATCH_BYTES = 32768;

/** Iterations a run, about 100 µs; and for a peak, some milliseconds. */
const ITERATIONS = 100, PEAK_ITERATIONS = 1500;

/** V8 has optimised both micro-kernels after about ten. */
const MILLISECONDS = 30;

/** By how much the wide tile must be faster to be 256 bits wide: 1.5 was seen on a busy machine, 2 on an idle one. */
const PAIRED = 1.25;

/** Multiply-adds of one iteration of `gemmPeak`, for each column of the tile. */
const WORK_PER_COLUMN = 6 * 256;

/**
 * The tile that does more work a second here: 16 columns where V8 pairs 128-bit operations to 256 bits, 8 where it does not,
 * since 16 then spill registers. On one small block the wide tile can look as fast all the same, but whole steps are 1.1
 * times as fast with the narrow one (B). Both give the same bits.
 */
export async function calibrate(pool: Pool): Promise<Calibration> {
  const options = { threads: 1, iterations: ITERATIONS, milliseconds: MILLISECONDS };
  const [narrow, wide] = await bestRates(pool, [8, 16], options) as [number, number];
  return wide > PAIRED * narrow ? { tile: 16, bits: 256 } : { tile: 8, bits: 128 };
}

/**
 * Multiply-adds a second of the micro-kernel, all threads together, on numbers that are in the nearest cache: what no
 * product of matrices can exceed.
 */
export async function peakRate(pool: Pool, tile: Tile, milliseconds: number): Promise<number> {
  const options = { threads: pool.threads, iterations: PEAK_ITERATIONS, milliseconds };
  return (await bestRates(pool, [tile], options))[0]!;
}

/** The best rate of each tile, in multiply-adds a second. */
async function bestRates(
  pool: Pool,
  tiles: readonly Tile[],
  { threads, iterations, milliseconds }: { threads: number; iterations: number; milliseconds: number },
): Promise<number[]> {
  const bytes = SCRATCH_BYTES * threads + 128 + timesBytes(1, pool.threads);
  const start = pool.allocate(bytes);
  if (start === undefined) throw new OutOfMemory(bytes, pool.available());
  const args = start + SCRATCH_BYTES * threads;
  const program = args + 64, times = program + 64;
  const words = new Int32Array(pool.memory.buffer);
  words.set([pool.kernelIndex("gemmPeak"), args], program / 4);

  const rate = async (tile: Tile) => {
    words.set([0, start, iterations, tile, threads], args / 4);
    await pool.run(program, 1, times);
    const [taken] = readTimes(pool.memory, times, 1, pool.threads);
    return 1000 * threads * tile * WORK_PER_COLUMN * iterations / taken!.milliseconds;
  };
  const best = tiles.map(() => 0);
  for (const end = performance.now() + milliseconds; performance.now() < end;) {
    for (const [index, tile] of tiles.entries()) best[index] = Math.max(best[index]!, await rate(tile));
  }
  pool.free(start);
  return best;
}
