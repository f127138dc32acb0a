/** What the GEMM's micro-kernel can do here, measured: see `gemmPeak` in assembly/gemm_peak.ts. */
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

/** V8 has optimised all three after about 15, and later where the machine is busy. */
const MILLISECONDS = 30;

/** The fewest and the most rounds, of which the best rates count: a busy machine may have slowed one of the three in a round. */
const LEAST_ATTEMPTS = 2, ATTEMPTS = 6;

/** How many times as fast as 128 bits can be: about 2 where V8 pairs, 0.8 where it does not. */
const PAIRED = 1.3;

/** What is timed: the micro-kernel with one of its tiles, or a loop that V8 cannot pair. */
interface Contestant {
  readonly kernel: "gemmPeak" | "unpairedPeak";
  readonly tile: Tile;
}

/** Multiply-adds of one iteration of `gemmPeak`, for each column of the tile. */
const WORK_PER_COLUMN = 6 * 256;

/**
 * The tile that does more work a second here: 16 columns where V8 pairs 128-bit operations to 256 bits, 8 where it does not,
 * since 16 then spill registers. Both give the same bits. Whether V8 pairs shows in the wide tile beside a loop that cannot be
 * paired: the two tiles alone would differ less while another program keeps the core busy, or look alike in 128 bits. A slow
 * moment of that loop must not make 128 bits look like 256, so the wide tile must also be faster than the narrow one.
 */
export async function calibrate(pool: Pool): Promise<Calibration> {
  const options = { threads: 1, iterations: ITERATIONS, milliseconds: MILLISECONDS };
  const contestants: Contestant[] = [
    { kernel: "unpairedPeak", tile: 8 },
    { kernel: "gemmPeak", tile: 8 },
    { kernel: "gemmPeak", tile: 16 },
  ];
  let [unpaired, narrow, wide] = [0, 0, 0];
  const paired = () => wide > PAIRED * unpaired && wide > narrow;
  for (let attempt = 1; attempt <= ATTEMPTS; attempt++) {
    const rates = await bestRates(pool, contestants, options) as [number, number, number];
    [unpaired, narrow, wide] = [unpaired, narrow, wide].map((best, i) =>
      Math.max(best, rates[i]!)
    ) as typeof rates;
    // Anything in between is unclear: one of them must have been slowed down, so try again.
    if (attempt >= LEAST_ATTEMPTS && (paired() || wide < unpaired)) break;
  }
  if (paired()) return { tile: 16, bits: 256 };
  return { tile: wide > PAIRED * narrow ? 16 : 8, bits: 128 };
}

/**
 * Multiply-adds a second of the micro-kernel, all threads together, on numbers that are in the nearest cache: what no
 * product of matrices can exceed.
 */
export async function peakRate(pool: Pool, tile: Tile, milliseconds: number): Promise<number> {
  const options = { threads: pool.threads, iterations: PEAK_ITERATIONS, milliseconds };
  return (await bestRates(pool, [{ kernel: "gemmPeak", tile }], options))[0]!;
}

/** The best rate of each, in multiply-adds a second. */
async function bestRates(
  pool: Pool,
  contestants: readonly Contestant[],
  { threads, iterations, milliseconds }: { threads: number; iterations: number; milliseconds: number },
): Promise<number[]> {
  const bytes = SCRATCH_BYTES * threads + 128 + timesBytes(1, pool.threads);
  const start = pool.allocate(bytes);
  if (start === undefined) throw new OutOfMemory(bytes, pool.available());
  const args = start + SCRATCH_BYTES * threads;
  const program = args + 64, times = program + 64;
  const words = new Int32Array(pool.memory.buffer);

  const rate = async ({ kernel, tile }: Contestant) => {
    words.set([pool.kernelIndex(kernel), args], program / 4);
    words.set([0, start, iterations, tile, threads], args / 4);
    await pool.run(program, 1, times);
    const [taken] = readTimes(pool.memory, times, 1, pool.threads);
    return 1000 * threads * tile * WORK_PER_COLUMN * iterations / taken!.longest;
  };
  const best = contestants.map(() => 0);
  for (const end = performance.now() + milliseconds; performance.now() < end;) {
    for (const [index, one] of contestants.entries()) best[index] = Math.max(best[index]!, await rate(one));
  }
  pool.free(start);
  return best;
}
