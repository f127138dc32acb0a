/** The roofline (Williams et al. 2009) of this machine or GPU: how much can be computed, and moved, in a second. */
import type { Backend } from "../backend/backend.ts";
import { isWasm } from "../backend/wasm/backend.ts";
import { GraphBuilder } from "../graph/builder.ts";
import { f32 } from "../graph/graph.ts";
import { productRate } from "./product_rate.ts";
import { statisticsOf } from "./statistics.ts";

export interface Roof {
  /** Of the GEMM's micro-kernel on all threads, its numbers in the nearest cache; of a GPU, of a large product. */
  readonly gflops: number;
  /**
   * Read and written by a copy of 64 MiB. Before a processor writes a line it reads that, too, which nobody counts: ops
   * that change memory in place are spared it, and may pass a copy.
   */
  readonly gigabytes: number;
}

/** A few runs of the micro-kernel: short enough to stand beside all that is measured, since machines change their speed. */
const PEAK_MILLISECONDS = 6;

/** A GPU's clock takes a while to rise. */
const PRODUCT_MILLISECONDS = 300;

export async function measureRoof(backend: Backend): Promise<Roof> {
  return { gflops: await peakGflops(backend), gigabytes: await copyGigabytes(backend) };
}

/** See `Roof`. */
export async function peakGflops(backend: Backend): Promise<number> {
  if (!isWasm(backend)) return await productRate(backend, PRODUCT_MILLISECONDS);
  return 2 * await backend.peak(PEAK_MILLISECONDS) / 1e9;
}

const COPIED = 2 ** 24;
const COPIES = 8;

/** See `Roof`: `y = 1 · x`, the fastest of some, since others may be at work on the same memory. */
export async function copyGigabytes(backend: Backend): Promise<number> {
  const builder = new GraphBuilder();
  const x = builder.state("x", f32([COPIED]));
  builder.output("y", builder.emit("scale", [x], { factor: 1 })[0]!);
  const init = new GraphBuilder();
  init.emit("init_constant", [init.state("x", f32([COPIED]))], { value: 1 });
  const session = backend.compile({ copy: builder.finish(), init: init.finish() });
  try {
    await session.run("init");
    const times: number[] = [];
    while (times.length < COPIES) times.push((await session.profile("copy"))[0]!.milliseconds);
    return 2 * 4 * COPIED / statisticsOf(times).min / 1e6;
  } finally {
    session.dispose();
  }
}
