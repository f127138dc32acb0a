/** How much a GPU multiplies and adds where nothing holds it up. */
import { createBusy, ROUND_MACS } from "./busy.ts";
import type { Gpu } from "./device.ts";
import { timePasses } from "./timing.ts";

/** A dispatch long enough that starting it is negligible. */
const ENOUGH_MILLISECONDS = 5;

/** Multiply-adds a second in float32, the best of what is tried in this many milliseconds: a GPU's clock takes a while to rise. */
export async function peakRate(gpu: Gpu, milliseconds: number): Promise<number> {
  const busy = await createBusy(gpu.device);
  try {
    let rounds = 1, best = 0;
    const end = performance.now() + milliseconds;
    do {
      busy.take(rounds);
      const taken = (await timePasses(gpu, [busy.step]))[0]!;
      if (taken < ENOUGH_MILLISECONDS) rounds *= 2;
      else best = Math.max(best, ROUND_MACS * rounds / taken * 1000);
    } while (best === 0 || performance.now() < end);
    return best;
  } finally {
    busy.destroy();
  }
}
