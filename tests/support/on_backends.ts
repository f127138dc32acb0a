/** Tests of ops on every backend: declared once, run on the CPU and, where there is an adapter, on WebGPU. */
import type { Backend, NumberArray } from "../../core/backend/backend.ts";
import { findAdapter } from "../../core/backend/webgpu/device.ts";
import type { AttrsOf, OpName } from "../../core/ops/mod.ts";
import { runEverywhere } from "./everywhere.ts";
import { backendFor, type Given, runOp } from "./run_op.ts";

/** What a test gets of the backend that it runs on. */
export interface On {
  readonly name: "cpu" | "webgpu";
  /** Runs one op; on the CPU with 1, 2 and 3 threads between guard bands, which must give the same bits. */
  run<K extends OpName>(op: K, inputs: readonly Given[], attrs: AttrsOf<K>): Promise<NumberArray[]>;
  readonly backend: Backend;
  /** How many random cases of so many are tried: software adapters are slow. */
  runs(count: number): number;
  /** Which of some cases are tried. */
  some<T>(cases: readonly T[]): readonly T[];
}

const adapter = await findAdapter();

/** Workers and devices are kept for all tests of a file. */
const pooled = { sanitizeOps: false, sanitizeResources: false };

/** Declares the test for each backend. Without an adapter WebGPU's is ignored, and says so. */
export function onBackends(name: string, body: (on: On) => Promise<void>): void {
  Deno.test(name, pooled, async () => {
    const backend = await backendFor({ threads: 2 });
    await body({ name: "cpu", run: runEverywhere, backend, runs: (count) => count, some: (cases) => cases });
  });
  onWebgpu(name, async () => {
    const backend = await backendFor("webgpu");
    await body({
      name: "webgpu",
      run: (op, inputs, attrs) => runOp(op, inputs, attrs, "webgpu"),
      backend,
      runs: (count) => Math.ceil(count / 10),
      // About five, from the first to the last.
      some: (cases) =>
        cases.filter((_, i) => i % Math.ceil(cases.length / 5) === 0 || i === cases.length - 1),
    });
  });
}

/** Whether tests of WebGPU are wanted: runs that are about the CPU's flags leave them out. */
export const wantsWebgpu = Deno.env.get("STRATA_TEST_WEBGPU") !== "no";

/** Declares a test that needs an adapter. */
export function onWebgpu(name: string, body: () => Promise<void>): void {
  if (!wantsWebgpu) return;
  Deno.test({
    ...pooled,
    name: `webgpu: ${name}${adapter ? "" : " (skipped: no adapter)"}`,
    ignore: !adapter,
    fn: body,
  });
}

/** Declares a test that needs an adapter with float16. */
export function onHalf(name: string, body: () => Promise<void>): void {
  if (!adapter || adapter.features.has("shader-f16")) onWebgpu(name, body);
  else Deno.test({ name: `webgpu: ${name} (skipped: no float16)`, ignore: true, fn: body });
}
