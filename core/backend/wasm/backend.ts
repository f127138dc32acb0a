/** The CPU backend: AssemblyScript kernels on shared memory, one worker a core. */
import type { Backend } from "../backend.ts";
import { calibrate } from "./calibrate.ts";
import { GUARD_BYTES } from "./guard.ts";
import { layOut, type LayoutOptions } from "./layout.ts";
import { createPool } from "./pool.ts";
import { createSession } from "./session.ts";

export interface WasmOptions {
  /** Worker threads; by default one a core. */
  readonly threads?: number;
  /** Columns of the GEMM's register tile, see `Lower`. By default what runs faster here. */
  readonly tile?: 8 | 16;
  /** For tests: false runs graphs op by op, as they were written. */
  readonly fuse?: boolean;
  /** For tests: every buffer apart, with bands behind it that are checked after each run. */
  readonly guard?: boolean;
}

/** Compiled once a process, whatever the number of backends. */
let compiled: Promise<WebAssembly.Module> | undefined;

/** Starts the workers, which live until `close()`, and finds out which tile is faster here. */
export async function createWasmBackend(options: WasmOptions = {}): Promise<Backend> {
  compiled ??= fetch(new URL("./kernels.wasm", import.meta.url))
    .then(async (response) => await WebAssembly.compile(await response.arrayBuffer()));
  const { threads = navigator.hardwareConcurrency, fuse = true, guard = false } = options;
  const pool = await createPool(await compiled, threads);
  const { tile, bits } = options.tile ? { tile: options.tile, bits: undefined } : await calibrate(pool);
  const layout: LayoutOptions = { threads, tile, fuse, guard: guard ? GUARD_BYTES : undefined };
  return {
    name: "wasm",
    description: `WebAssembly, ${bits ?? "128 or 256"}-bit SIMD, ${threads} thread${
      threads === 1 ? "" : "s"
    }`,
    measure: (graphs) => layOut(graphs, layout).report,
    compile: (graphs) => createSession(pool, layOut(graphs, layout), guard),
    close: () => pool.close(),
  };
}
