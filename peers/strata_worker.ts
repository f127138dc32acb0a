/** Takes steps with Strata, as `bench model` does. */
import { createWasmBackend } from "../core/backend/wasm/backend.ts";
import { prepareWorkload } from "../core/bench/workload.ts";
import project from "../deno.json" with { type: "json" };
import { networks } from "./networks.ts";
import type { Job, Workload } from "./protocol.ts";
import { serve } from "./serve.mjs";

await serve(async ({ model, mode, batch, input, classes, threads }: Job & Workload) => {
  const [channels, height, width] = input;
  const network = networks[model]!.create({
    num_classes: classes,
    in_channels: channels,
    input_size: [height, width],
  });
  const backend = await createWasmBackend({ threads });
  const optimizer = { name: "sgd", momentum: 0.9 } as const;
  const { session, step } = await prepareWorkload(backend, network, { mode, batch, input, optimizer });
  return {
    version: `Strata ${project.version}, tile 6×${backend.tile}`,
    planned: session.memory.totalBytes,
    async step() {
      await step();
      if (mode === "train" && !Number.isFinite((await session.read(mode, "loss"))[0])) {
        throw new Error("the loss is not finite");
      }
    },
  };
});
