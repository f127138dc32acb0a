/** `deno task devices`: the GPUs that WebGPU finds, what they can do, and how fast one multiplies. */
import { createWebgpuBackend } from "../core/backend/webgpu/backend.ts";
import { isSoftware, nameOf, openDevice } from "../core/backend/webgpu/device.ts";
import { productRate } from "../core/bench/product_rate.ts";
import { describeFlags, parseFlags, switchFlag } from "./arguments.ts";
import { main } from "./main.ts";

export const devicesFlags = {
  json: switchFlag("one JSON document instead of lines"),
  help: switchFlag("this text"),
};

/** What is told of an adapter. */
interface Described {
  readonly name: string;
  readonly software: boolean;
  readonly limits: Readonly<Record<string, number>>;
  readonly features: readonly string[];
  /** Of a product of matrices in float32, measured for about a second. */
  readonly gflops: number;
}

/** The limits that decide what fits. */
const LIMITS = [
  "maxBufferSize",
  "maxStorageBufferBindingSize",
  "maxStorageBuffersPerShaderStage",
  "maxComputeWorkgroupStorageSize",
  "maxComputeInvocationsPerWorkgroup",
] as const;

/** Returns the exit code: 0, also where there is no GPU. */
export async function devices(args: readonly string[]): Promise<number> {
  const { json = false, help } = parseFlags(devicesFlags, args);
  if (help) {
    console.log(["deno task devices [flags]", "", ...describeFlags(devicesFlags)].join("\n"));
    return 0;
  }
  const found: Described[] = [];
  for (const adapter of await allAdapters()) found.push(await describe(adapter));
  if (json) console.log(JSON.stringify(found, null, 2));
  else if (found.length === 0) console.log("No GPU that WebGPU can use: install its driver for Vulkan.");
  else console.log(found.map(linesOf).join("\n\n"));
  return 0;
}

/** The adapters that WebGPU gives for hard work, for little power, and in a GPU's place: each once. */
async function allAdapters(): Promise<GPUAdapter[]> {
  if (!("gpu" in navigator)) return [];
  const wishes: GPURequestAdapterOptions[] = [
    { powerPreference: "high-performance" },
    { powerPreference: "low-power" },
    { forceFallbackAdapter: true },
  ];
  const adapters = new Map<string, GPUAdapter>();
  for (const wish of wishes) {
    const adapter = await navigator.gpu.requestAdapter(wish);
    if (adapter && !adapters.has(nameOf(adapter))) adapters.set(nameOf(adapter), adapter);
  }
  return [...adapters.values()];
}

async function describe(adapter: GPUAdapter): Promise<Described> {
  const backend = await createWebgpuBackend({ gpu: await openDevice(adapter) });
  try {
    return {
      name: nameOf(adapter),
      software: isSoftware(adapter),
      limits: Object.fromEntries(LIMITS.map((limit) => [limit, adapter.limits[limit]])),
      features: [...adapter.features].sort(),
      gflops: await productRate(backend, 1000),
    };
  } finally {
    backend.close();
  }
}

function linesOf({ name, software, limits, features, gflops }: Described): string {
  const width = Math.max(...Object.keys(limits).map((limit) => limit.length));
  return [
    `${name}${software ? " (software: --device auto does not take it)" : ""}`,
    ...Object.entries(limits).map(([limit, value]) =>
      `  ${limit.padEnd(width)}  ${value.toLocaleString("en-US")}`
    ),
    `  ${"features".padEnd(width)}  ${features.join(", ")}`,
    `  ${"float32 products".padEnd(width)}  ${gflops.toFixed(gflops < 100 ? 1 : 0)} GFLOP/s`,
  ].join("\n");
}

if (import.meta.main) await main(devices);
