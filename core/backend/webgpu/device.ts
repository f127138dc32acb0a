/** The GPU: finding one, and what it can do. */
import { oneLine, UserError } from "../../errors.ts";
import { type Watch, watchDevice } from "./faults.ts";

/** A GPU that is ready to work. */
export interface Gpu {
  readonly device: GPUDevice;
  /** Its name, such as `NVIDIA H200`. */
  readonly name: string;
  /** All that WebGPU tells about it and its maker: under this, measurements on it are remembered. */
  readonly adapter: string;
  /** Whether the processor stands in for a GPU: right, but slow. */
  readonly software: boolean;
  readonly watch: Watch;
}

/** Features that are requested where the adapter has them. */
const WELCOME = ["timestamp-query", "shader-f16", "subgroups"] as const;

/** Limits of which more is better: the adapter's own are requested. */
const LIMITS = [
  "maxStorageBufferBindingSize",
  "maxBufferSize",
  "maxStorageBuffersPerShaderStage",
  "maxComputeWorkgroupStorageSize",
  "maxComputeInvocationsPerWorkgroup",
  "maxComputeWorkgroupSizeX",
] as const;

/** The adapter that the system prefers for high performance; undefined where there is none. */
export async function findAdapter(): Promise<GPUAdapter | undefined> {
  if (!("gpu" in navigator)) return undefined;
  return await navigator.gpu.requestAdapter({ powerPreference: "high-performance" }) ?? undefined;
}

/** Whether the processor does the adapter's work. */
export function isSoftware({ info }: GPUAdapter): boolean {
  return info.isFallbackAdapter ?? /llvmpipe|swiftshader|software/i.test(info.description);
}

/** What an adapter is called. */
export function nameOf({ info }: GPUAdapter): string {
  return info.description || [info.vendor, info.architecture, info.device].filter((part) => part).join(" ");
}

/** Takes the adapter's device, with all of its limits. Throws `UserError` where it cannot be had. */
export async function openDevice(adapter: GPUAdapter): Promise<Gpu> {
  const name = nameOf(adapter), { info } = adapter;
  const device = await adapter.requestDevice({
    requiredLimits: Object.fromEntries(LIMITS.map((limit) => [limit, adapter.limits[limit]])),
    requiredFeatures: WELCOME.filter((feature) => adapter.features.has(feature)) as GPUFeatureName[],
  }).catch((error) => {
    throw new UserError(`the GPU (${name}) cannot be opened: ${oneLine(String(error.message ?? error))}`);
  });
  const described = [info.vendor, info.architecture, info.device, info.description];
  return {
    device,
    name,
    adapter: described.filter((part) => part).join(", "),
    software: isSoftware(adapter),
    watch: watchDevice(device, name),
  };
}

/** The adapter that the system prefers for high performance. Throws `UserError` where there is none. */
export async function needAdapter(): Promise<GPUAdapter> {
  const adapter = await findAdapter();
  if (adapter) return adapter;
  throw new UserError(
    "there is no GPU that WebGPU can use (no adapter): install its driver for Vulkan, or take the CPU",
  );
}

/** Finds and opens a GPU. Throws `UserError` where there is none. */
export async function openGpu(): Promise<Gpu> {
  return await openDevice(await needAdapter());
}
