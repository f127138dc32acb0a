import assert from "node:assert/strict";
import { calibrate } from "../../core/backend/wasm/calibrate.ts";
import type { Pool } from "../../core/backend/wasm/pool.ts";

const KERNELS = ["gemmPeak", "unpairedPeak"];

/** Milliseconds of a run of each: where V8 pairs the wide tile does twice the work in the same time, else it spills. */
const paired = { unpaired: 0.046, 8: 0.037, 16: 0.046 };
const plain = { unpaired: 0.046, 8: 0.046, 16: 0.11 };

/** A pool of two threads, of which the second has nothing to do, and now and then wakes up when all is done. */
function poolWith(taken: typeof paired, isLate: (run: number) => boolean): Pool {
  const memory = new WebAssembly.Memory({ initial: 1, maximum: 1, shared: true });
  let runs = 0;
  return {
    threads: 2,
    memory,
    kernelIndex: (name) => KERNELS.indexOf(name),
    allocate: () => 64,
    free: () => {},
    available: () => 0,
    close: () => {},
    run(program, _count, times) {
      const words = new Int32Array(memory.buffer);
      const kernel = KERNELS[words[program / 4]!], tile = words[words[program / 4 + 1]! / 4 + 3] as 8 | 16;
      const ms = kernel === "unpairedPeak" ? taken.unpaired : taken[tile];
      const late = isLate(runs++) ? 0.98 * ms : 0;
      // Of each thread: when it began, when its own work was done, when all were.
      new Float64Array(memory.buffer, times!, 6).set([0, ms, ms, late, late, ms]);
      return Promise.resolve();
    },
  };
}

const never = () => false;
/** Runs come in threes: the loop that cannot be paired, the narrow tile, the wide one. */
const once = (which: number) => (run: number) => run === 3 * 50 + which;

Deno.test("the wide tile is taken where V8 pairs, also if a thread without work wakes up late", async () => {
  for (const isLate of [never, once(0), once(1), once(2)]) {
    assert.deepEqual(await calibrate(poolWith(paired, isLate)), { tile: 16, bits: 256 });
  }
});

Deno.test("the narrow tile is taken where V8 does not pair, also if a thread without work wakes up late", async () => {
  for (const isLate of [never, once(0), once(1), once(2)]) {
    assert.deepEqual(await calibrate(poolWith(plain, isLate)), { tile: 8, bits: 128 });
  }
});
