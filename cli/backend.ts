/** The backend that flags ask for. */
import type { Backend } from "../core/backend/backend.ts";
import { createWasmBackend, type WasmOptions } from "../core/backend/wasm/backend.ts";
import { type Chooser, exact } from "../core/backend/wasm/lower/method.ts";
import { UserError } from "../core/errors.ts";
import { oneOf, switchFlag, whole } from "./arguments.ts";

export const exactFlag = switchFlag("no Winograd convolutions: less rounding, slower");

export const deviceFlag = oneOf(
  ["cpu", "webgpu", "auto"] as const,
  "cpu, webgpu: a GPU, or auto: a GPU where one is; cpu",
);

export const threadFlags = {
  threads: whole("worker threads; one a core", { min: 1, max: 256 }),
  workers: whole("threads that decode images; a quarter of the cores", { min: 1, max: 64 }),
};

/** Of commands that use finished weights. */
export const machineFlags = { device: deviceFlag, ...threadFlags, exact: exactFlag };

export interface DeviceFlags {
  readonly device?: "cpu" | "webgpu" | "auto";
  readonly threads?: number;
  readonly exact?: boolean;
}

/** Options for `createWasmBackend`; convolutions by `method` unless they are to be exact. */
export function backendOptions(given: DeviceFlags, method?: Chooser): WasmOptions {
  const chooser = given.exact ? exact : method;
  return {
    ...(given.threads === undefined ? {} : { threads: given.threads }),
    ...(chooser ? { method: chooser } : {}),
  };
}

/**
 * Starts the backend on the device that is asked for; `auto` takes no GPU that the processor only stands in for. The options
 * are the CPU's. Throws `UserError` where there is no GPU, or where flags are for the other device.
 */
export async function createBackend(
  given: DeviceFlags,
  options: Pick<WasmOptions, "method" | "meanwhile"> = {},
): Promise<Backend> {
  if (await chooseDevice(given) === "cpu") {
    const { meanwhile } = options;
    return await createWasmBackend({
      ...backendOptions(given, options.method),
      ...(meanwhile ? { meanwhile } : {}),
    });
  }
  const { createWebgpuBackend } = await import("../core/backend/webgpu/backend.ts");
  const backend = await createWebgpuBackend();
  try {
    await options.meanwhile;
  } catch (error) {
    backend.close();
    throw error;
  }
  return backend;
}

/** The device that flags ask for. Throws `UserError` where flags are for the other one. */
export async function chooseDevice({ device = "cpu", threads }: DeviceFlags): Promise<"cpu" | "webgpu"> {
  if (device === "webgpu" && threads !== undefined) {
    throw new UserError("--threads has no effect with --device webgpu: it is for the CPU");
  }
  return device === "cpu" || device === "auto" && !await hasGpu() ? "cpu" : "webgpu";
}

async function hasGpu(): Promise<boolean> {
  const { findAdapter, isSoftware } = await import("../core/backend/webgpu/device.ts");
  const adapter = await findAdapter();
  return adapter !== undefined && !isSoftware(adapter);
}
