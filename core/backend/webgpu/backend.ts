/** The GPU backend: WGSL kernels through WebGPU, from the same graphs as the CPU's. */
import type { Graph } from "../../graph/graph.ts";
import { dropPlaces, fuse } from "../../graph/fuse.ts";
import type { Backend } from "../backend.ts";
import type { Choices } from "../tuning.ts";
import { type Gpu, openGpu } from "./device.ts";
import { LARGEST_HALF } from "./half.ts";
import type { Abilities } from "./lower/lowering.ts";
import { lowerWith } from "./lower/mod.ts";
import { layOut, type MemoryLimits } from "./memory.ts";
import { peakRate } from "./peak.ts";
import { createPipelines } from "./pipelines.ts";
import { createSession } from "./session.ts";
import { tryHalf, trySubgroups } from "./trial.ts";
import { tuningOf } from "./tuning.ts";

export interface WebgpuOptions {
  /** The GPU; by default the one that the system prefers for high performance. */
  readonly gpu?: Gpu;
  /** How products are cut, by node: what `autotune` has measured. Others are cut by shape alone. */
  readonly choices?: Choices;
  /**
   * Images between layers, and gradients to them, are float16 in memory; all is computed as float32. `UserError` where the
   * GPU cannot. False by default.
   */
  readonly half?: boolean;
  /** Convolutions as plain sums, never Winograd's: less rounding, slower. False by default. */
  readonly exact?: boolean;
  /** For tests: false runs graphs op by op, as they were written. */
  readonly fuse?: boolean;
  /** For tests: smaller limits of memory than the adapter's, so that tensors are split. */
  readonly limits?: MemoryLimits;
  /** For tests: less than the GPU can do. */
  readonly abilities?: Partial<Abilities>;
}

export interface WebgpuBackend extends Backend {
  readonly gpu: Gpu;
  /** What its kernels make use of. */
  readonly abilities: Abilities;
}

/** Whether a backend is a GPU's. */
export function isWebgpu(backend: Backend): backend is WebgpuBackend {
  return backend.name === "webgpu";
}

/** Opens the GPU, which is held until `close()`. Throws `UserError` where there is none. */
export async function createWebgpuBackend(options: WebgpuOptions = {}): Promise<WebgpuBackend> {
  const gpu = options.gpu ?? await openGpu();
  const { device, name, software } = gpu;
  const limits = options.limits ?? device.limits;
  const pipelines = createPipelines(device);
  const abilities = { ...await abilitiesOf(gpu, options), ...options.abilities };
  const lowerNode = lowerWith(abilities, options.choices);
  const prepare = options.fuse === false ? dropPlaces : fuse;
  const plan = (graphs: Readonly<Record<string, Graph>>) => {
    const prepared = Object.entries(graphs).map(([name, graph]) => [name, prepare(graph)] as const);
    return layOut(Object.fromEntries(prepared), limits, lowerNode, abilities.half);
  };
  return {
    name: "webgpu",
    description: `WebGPU, ${name}${abilities.half ? ", images of float16" : ""}${
      software ? ": the processor in a GPU's place, right but slow" : ""
    }`,
    gpu,
    // A dispatch takes microseconds to begin; in that time the GPU updates some megabytes.
    updateBytes: 2 ** 25,
    abilities,
    ...abilities.half ? { largest: LARGEST_HALF } : {},
    tuning: tuningOf(gpu, abilities),
    peak: (milliseconds) => peakRate(gpu, milliseconds),
    measure: (graphs) => plan(graphs).report,
    nodesOf(graph) {
      const { program } = plan({ graph }).prepared.get("graph")!;
      return [...new Set(program.calls.map(({ node }) => node))];
    },
    compile: (graphs) => createSession(gpu, pipelines, plan(graphs)),
    close: () => device.destroy(),
  };
}

async function abilitiesOf(gpu: Gpu, options: WebgpuOptions): Promise<Abilities> {
  const { half = false, exact = false } = options;
  const { device } = gpu;
  if (half) await tryHalf(gpu);
  return {
    workgroupBytes: device.limits.maxComputeWorkgroupStorageSize,
    subgroups: await trySubgroups(device),
    half,
    exact,
  };
}
