/** The backend that flags ask for. */
import type { Backend } from "../core/backend/backend.ts";
import type { Choices } from "../core/backend/tuning.ts";
import { createWasmBackend, type WasmOptions } from "../core/backend/wasm/backend.ts";
import { choiceOf, exact } from "../core/backend/wasm/lower/method.ts";
import { UserError } from "../core/errors.ts";
import { defaultWorkers, MOST_WORKERS } from "../host/images/pool.ts";
import { oneOf, switchFlag, whole } from "./arguments.ts";

export const exactFlag = switchFlag("no Winograd convolutions: less rounding, slower");

/** PyTorch's word for it: automatic mixed precision. */
export const ampFlag = switchFlag("images between layers as float16: on a GPU that can");

export const deviceFlag = oneOf(
  ["cpu", "webgpu", "auto"] as const,
  "cpu, webgpu: a GPU, or auto: a GPU where one is; cpu",
);

export const threadFlags = {
  threads: whole("worker threads; one a core", { min: 1, max: 256 }),
  workers: whole("threads that decode; a quarter of the cores, beside a GPU all but one", {
    min: 1,
    max: MOST_WORKERS,
  }),
};

/** Of commands that use finished weights. */
export const machineFlags = { device: deviceFlag, ...threadFlags, exact: exactFlag, amp: ampFlag };

export interface DeviceFlags {
  readonly device?: "cpu" | "webgpu" | "auto";
  readonly threads?: number;
  readonly exact?: boolean;
  readonly amp?: boolean;
}

/** Options for `createWasmBackend`; convolutions as `choices` says, unless they are to be exact. */
function backendOptions(given: DeviceFlags, choices?: Choices): WasmOptions {
  const { threads } = given;
  const method = given.exact ? exact : choices && choiceOf(choices);
  return { ...(threads === undefined ? {} : { threads }), ...(method ? { method } : {}) };
}

export interface BackendWishes {
  /** What was measured to be fastest, see core/backend/autotune.ts. */
  readonly choices?: Choices;
  /** What the program does while the backend starts; a failure of it is one here. */
  readonly meanwhile?: Promise<unknown>;
}

/**
 * Starts the backend on the device that is asked for; `auto` takes no GPU that the processor only stands in for. Throws
 * `UserError` where there is no GPU, or where flags are for the other device.
 */
export async function createBackend(
  given: DeviceFlags,
  { choices, meanwhile }: BackendWishes = {},
): Promise<Backend> {
  if (await chooseDevice(given) === "cpu") {
    if (given.amp) throw new UserError("--amp is for a GPU (--device webgpu): the CPU computes with float32");
    return await createWasmBackend({
      ...backendOptions(given, choices),
      ...(meanwhile ? { meanwhile } : {}),
    });
  }
  const { createWebgpuBackend } = await import("../core/backend/webgpu/backend.ts");
  const backend = await createWebgpuBackend({
    half: given.amp ?? false,
    exact: given.exact ?? false,
    ...(choices ? { choices } : {}),
  });
  try {
    await meanwhile;
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

/** Threads that decode images. */
export async function workersFor(given: DeviceFlags & { readonly workers?: number }): Promise<number> {
  return given.workers ?? defaultWorkers(await chooseDevice(given));
}

async function hasGpu(): Promise<boolean> {
  const { findAdapter, isSoftware } = await import("../core/backend/webgpu/device.ts");
  const adapter = await findAdapter();
  return adapter !== undefined && !isSoftware(adapter);
}
