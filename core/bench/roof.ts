/** The roofline (Williams et al. 2009) of this machine or GPU: how much can be computed, and moved, in a second. */
import type { Backend } from "../backend/backend.ts";
import { isWasm } from "../backend/wasm/backend.ts";
import { isWebgpu } from "../backend/webgpu/backend.ts";
import { GraphBuilder } from "../graph/builder.ts";
import { f32 } from "../graph/graph.ts";
import { statisticsOf } from "./statistics.ts";

export interface Roof {
  /** Of the GEMM's micro-kernel on all threads, its numbers in the nearest cache; of multiply-adds in a GPU's registers. */
  readonly gflops: number;
  /**
   * Read and written by a copy of 64 MiB, on a GPU of 256. Before a processor writes a line it reads that, too, which nobody
   * counts: ops that change memory in place are spared it, and may pass a copy.
   */
  readonly gigabytes: number;
}

/** A few runs of the micro-kernel: short enough to stand beside all that is measured, since machines change their speed. */
const CPU_MILLISECONDS = 6;

/** A GPU's clock takes a while to rise. */
const GPU_MILLISECONDS = 300;

export async function measureRoof(backend: Backend): Promise<Roof> {
  return { gflops: await peakGflops(backend), gigabytes: await copyGigabytes(backend) };
}

/** See `Roof`. */
export async function peakGflops(backend: Backend): Promise<number> {
  return 2 * await backend.peak(isWasm(backend) ? CPU_MILLISECONDS : GPU_MILLISECONDS) / 1e9;
}

/** What `peakGflops` is the peak of. */
export function peakName(backend: Backend): string {
  return isWasm(backend) ? "the GEMM's micro-kernel" : "multiply-adds in registers";
}

const COPIES = 8;

/** Numbers: much more than caches hold, in one binding. */
function copied(backend: Backend): number {
  if (!isWebgpu(backend) || backend.gpu.software) return 2 ** 24;
  return Math.min(2 ** 26, backend.gpu.device.limits.maxStorageBufferBindingSize / 4);
}

/** See `Roof`: `y = 1 · x`, the fastest of some, since others may be at work on the same memory. */
async function copyGigabytes(backend: Backend): Promise<number> {
  const count = copied(backend);
  const builder = new GraphBuilder();
  const x = builder.state("x", f32([count]));
  builder.output("y", builder.emit("scale", [x], { factor: 1 })[0]!);
  const init = new GraphBuilder();
  init.emit("init_constant", [init.state("x", f32([count]))], { value: 1 });
  const session = backend.compile({ copy: builder.finish(), init: init.finish() });
  try {
    await session.run("init");
    const times: number[] = [];
    while (times.length < COPIES) times.push((await session.profile("copy"))[0]!.milliseconds);
    return 2 * 4 * count / statisticsOf(times).min / 1e6;
  } finally {
    session.dispose();
  }
}
