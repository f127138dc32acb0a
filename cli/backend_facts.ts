/** What is told of a backend beside every figure. */
import type { Backend } from "../core/backend/backend.ts";
import { isWasm } from "../core/backend/wasm/backend.ts";
import { isWebgpu } from "../core/backend/webgpu/backend.ts";
import { hasClock } from "../core/backend/webgpu/timing.ts";
import { machineOf, versions } from "./machine.ts";

/** For `--json`. */
export interface BackendFacts {
  readonly description: string;
  /** The CPU's; absent for a GPU. */
  readonly threads?: number;
  readonly bits?: number | undefined;
  readonly tile?: number;
  /** A GPU's: whether the processor does its work, so that times tell nothing of GPUs; and what the times are by. */
  readonly software?: boolean;
  readonly clock?: "own" | "wall";
}

export function factsOf(backend: Backend): BackendFacts {
  const { description } = backend;
  if (isWasm(backend)) {
    const { threads, bits, tile } = backend;
    return { description, threads, bits, tile };
  }
  if (!isWebgpu(backend)) return { description };
  return { description, software: backend.gpu.software, clock: hasClock(backend.gpu) ? "own" : "wall" };
}

/** A line that stands above figures. */
export function backendText(backend: Backend): string {
  const { description, tile, software, clock } = factsOf(backend);
  return [
    `${description}${tile === undefined ? "" : `, tile 6×${tile}`}`,
    `Deno ${versions.deno}, V8 ${versions.v8}`,
    machineOf(),
    ...clock === "wall" ? ["no clock of the GPU's own, times as seen from outside"] : [],
    ...software ? ["these times tell nothing of a GPU's"] : [],
  ].join("; ");
}
