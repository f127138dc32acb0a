/** The roofline (Williams et al. 2009) of this machine: how much can be computed, and moved, in a second. */
import type { WasmBackend } from "../backend/wasm/backend.ts";
import { GraphBuilder } from "../graph/builder.ts";
import { f32 } from "../graph/graph.ts";
import { statisticsOf } from "./statistics.ts";

export interface Roof {
  /** Of the GEMM's micro-kernel on all threads, its numbers in the nearest cache. */
  readonly gflops: number;
  /** Read and written by a copy that no cache can hold. */
  readonly gigabytes: number;
}

/** Takes a second, and 128 MiB for as long. */
export async function measureRoof(backend: WasmBackend): Promise<Roof> {
  return { gflops: 2 * await backend.peak() / 1e9, gigabytes: await copyRate(backend) };
}

const COPIED = 2 ** 24;
const COPIES = 12;

/** GB/s of `y = 1 · x`, the fastest of some: others may be at work on the same memory. */
async function copyRate(backend: WasmBackend): Promise<number> {
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
