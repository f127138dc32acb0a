/** Takes steps with Strata, as `bench model` does. */
import type { Backend } from "../core/backend/backend.ts";
import { createWasmBackend } from "../core/backend/wasm/backend.ts";
import { createWebgpuBackend } from "../core/backend/webgpu/backend.ts";
import { prepareWorkload } from "../core/bench/workload.ts";
import project from "../deno.json" with { type: "json" };
import { networks } from "./networks.ts";
import type { Job, Workload } from "./protocol.ts";
import { serve } from "./serve.mjs";

await serve(async ({ device, model, mode, batch, input, classes, threads }: Job & Workload) => {
  const [channels, height, width] = input;
  const network = networks[model]!.create({
    num_classes: classes,
    in_channels: channels,
    input_size: [height, width],
  });
  const { backend, what } = await (device === "cpu" ? startCpu(threads) : startGpu());
  const optimizer = { name: "sgd", momentum: 0.9 } as const;
  const { session, take } = await prepareWorkload(backend, network, { mode, batch, input, optimizer });
  return {
    version: `Strata ${project.version}, ${what}`,
    planned: session.memory.totalBytes,
    async take(steps) {
      const [last] = await take(steps);
      if (mode === "train" && !Number.isFinite(last)) throw new Error("the loss is not finite");
    },
  };
});

interface Started {
  readonly backend: Backend;
  /** For the table. */
  readonly what: string;
}

async function startCpu(threads: number): Promise<Started> {
  const backend = await createWasmBackend({ threads });
  return { backend, what: `tile 6×${backend.tile}` };
}

async function startGpu(): Promise<Started> {
  const backend = await createWebgpuBackend();
  return { backend, what: "WebGPU" };
}
