/** What can compute in this browser. */
import type { Backend } from "../core/backend/backend.ts";
import { createWasmBackend } from "../core/backend/wasm/backend.ts";
import { UserError } from "../core/errors.ts";

export interface Device {
  readonly name: string;
  readonly label: string;
  /** Starts it on the first call. */
  readonly backend: () => Promise<Backend>;
}

/** The devices, at least one. Throws `UserError` where there is none. */
export function findDevices(): Device[] {
  if (crossOriginIsolated) {
    const threads = navigator.hardwareConcurrency;
    const label = `the CPU: WebAssembly, ${threads} thread${threads === 1 ? "" : "s"}`;
    return [{ name: "wasm", label, backend: once(() => createWasmBackend()) }];
  }
  throw new UserError(
    "This page may not share memory between threads here: open it at the address that deno task demo prints.",
  );
}

function once<T>(make: () => Promise<T>): () => Promise<T> {
  let made: Promise<T> | undefined;
  return () => made ??= make();
}
