/** What can compute in this browser. */
import type { Backend } from "../core/backend/backend.ts";
import { createWasmBackend } from "../core/backend/wasm/backend.ts";
import { createWebgpuBackend } from "../core/backend/webgpu/backend.ts";
import { findAdapter, isSoftware, nameOf } from "../core/backend/webgpu/device.ts";
import { UserError } from "../core/errors.ts";
import { once } from "../core/once.ts";

export interface Device {
  readonly name: string;
  readonly label: string;
  /** Starts it on the first call, and again where that failed. */
  readonly backend: () => Promise<Backend>;
}

export interface Devices {
  /** The fastest first, at least one. */
  readonly usable: readonly Device[];
  /** Why another cannot be used, in one line; undefined where all can. */
  readonly without: string | undefined;
}

/** Finds the devices. Throws `UserError` where there is none. */
export async function findDevices(): Promise<Devices> {
  const [cpu, adapter] = [cpuOf(), await findAdapter()];
  if (!adapter) {
    const why = "gpu" in navigator ? "finds no GPU that it may use" : "does not have it";
    if (cpu) return { usable: [cpu], without: `Without WebGPU: this browser ${why}.` };
    throw new UserError(
      "This page may not share memory between threads here: open it at the address that deno task demo prints.",
    );
  }
  const gpu = {
    name: "webgpu",
    label: `WebGPU: ${nameOf(adapter)}${isSoftware(adapter) ? ", in software" : ""}`,
    backend: once(() => createWebgpuBackend()),
  };
  if (!cpu) {
    return {
      usable: [gpu],
      without: "Without the CPU: this page may not share memory between threads here.",
    };
  }
  return { usable: isSoftware(adapter) ? [cpu, gpu] : [gpu, cpu], without: undefined };
}

/** The CPU, where threads may share memory and be waited for. */
function cpuOf(): Device | undefined {
  if (!crossOriginIsolated || !("waitAsync" in Atomics)) return undefined;
  const threads = navigator.hardwareConcurrency;
  return {
    name: "wasm",
    label: `the CPU: WebAssembly, ${threads} thread${threads === 1 ? "" : "s"}`,
    backend: once(() => createWasmBackend()),
  };
}
