/** The CPU backend: AssemblyScript kernels on shared memory, one worker a core. */
import { once } from "../../once.ts";
import type { Backend } from "../backend.ts";
import { calibrate, peakRate } from "./calibrate.ts";
import { GUARD_BYTES } from "./guard.ts";
import { layOut, type LayoutOptions } from "./layout.ts";
import { cheapest, type Chooser, tuningOf } from "./lower/method.ts";
import { createPool } from "./pool.ts";
import { createSession } from "./session.ts";

/** All of it optional. */
export interface WasmOptions {
  /** Worker threads; by default one a core. */
  readonly threads?: number;
  /** Columns of the GEMM's register tile, see `Lower`. By default what runs faster here. */
  readonly tile?: 8 | 16;
  /** How to compute each convolution; by default what should be fastest. See lower/method.ts for others. */
  readonly method?: Chooser;
  /** What the program does while the workers start: nothing is measured before it ends, and its failure is thrown here. */
  readonly meanwhile?: Promise<unknown>;
  /** For tests: false runs graphs op by op, as they were written. */
  readonly fuse?: boolean;
  /** For tests: every buffer apart, with guard bands after it that are checked after each run. */
  readonly guard?: boolean;
}

/** A backend on the CPU, and how it computes. */
export interface WasmBackend extends Backend {
  readonly threads: number;
  readonly tile: 8 | 16;
  /** How wide the arithmetic is, judged by its speed; undefined where the tile was given and nothing was measured. */
  readonly bits: 128 | 256 | undefined;
}

/** Whether a backend is the CPU's. */
export function isWasm(backend: Backend): backend is WasmBackend {
  return backend.name === "wasm";
}

/** Compiled once a process, whatever the number of backends. */
const kernels = once(async () => {
  const file = await fetch(new URL("./kernels.wasm", import.meta.url));
  return await WebAssembly.compile(await file.arrayBuffer());
});

/**
 * Starts the workers, which live until `close()`, and finds out which tile is faster here.
 *
 * ```ts
 * import assert from "node:assert/strict";
 * import * as nn from "../../nn/mod.ts";
 *
 * const layer = new nn.Linear(3, 2);
 * const backend = await createWasmBackend();
 * const session = backend.compile({ forward: nn.trace(layer, [1, 3], { training: false }) });
 * session.writeState("weight", [1, 0, 0, 0, 1, 0]);
 * session.writeState("bias", [10, 20]);
 * session.write("forward", "x", [1, 2, 3]);
 * await session.run("forward");
 * assert.deepEqual([...await session.read("forward", "y")], [11, 22]);
 * backend.close();
 * ```
 */
export async function createWasmBackend(options: WasmOptions = {}): Promise<WasmBackend> {
  const { threads = navigator.hardwareConcurrency, method = cheapest, fuse = true, guard = false } = options;
  const pool = await createPool(await kernels(), threads);
  try {
    await options.meanwhile;
  } catch (error) {
    pool.close();
    throw error;
  }
  const { tile, bits } = options.tile ? { tile: options.tile, bits: undefined } : await calibrate(pool);
  const layout: LayoutOptions = { threads, tile, method, fuse, guard: guard ? GUARD_BYTES : undefined };
  const width = bits ?? "128 or 256", plural = threads === 1 ? "" : "s";
  const description = `WebAssembly, ${width}-bit SIMD, ${threads} thread${plural}`;
  return {
    name: "wasm",
    description,
    tuning: tuningOf(description),
    threads,
    tile,
    bits,
    peak: (milliseconds) => peakRate(pool, tile, milliseconds),
    measure: (graphs) => layOut(graphs, layout).report,
    nodesOf(graph) {
      const { program } = layOut({ graph }, layout).prepared.get("graph")!;
      return [...new Set(program.calls.map(({ node }) => node))];
    },
    compile: (graphs) => createSession(pool, layOut(graphs, layout), guard),
    close: () => pool.close(),
  };
}
