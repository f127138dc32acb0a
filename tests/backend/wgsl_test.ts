/** The kernels of whole training steps, read by a browser's compiler of WGSL, which is stricter than Deno's. */
import assert from "node:assert/strict";
import { place } from "../../core/backend/webgpu/source.ts";
import { layOut } from "../../core/backend/webgpu/memory.ts";
import { lowerWith } from "../../core/backend/webgpu/lower/mod.ts";
import { isDetectionModel } from "../../core/detect/model.ts";
import { fuse } from "../../core/graph/fuse.ts";
import type { Module } from "../../core/nn/mod.ts";
import type { OptimizerOptions } from "../../core/optim/optimizer.ts";
import { classification } from "../../core/train/classification.ts";
import { detection } from "../../core/train/detection.ts";
import { sessionGraphs } from "../../core/train/graphs.ts";
import { models } from "../../models/registry.ts";
import { Always } from "../support/always.ts";
import { wantsWebgpu } from "../support/on_backends.ts";
import { inBrowser, withBrowser } from "../support/browser.ts";

/** Networks that have all layers between them, each with another optimiser. */
const STEPS: readonly [network: string, optimizer: OptimizerOptions][] = [
  ["squeezenet1_1", { name: "sgd", momentum: 0.9, nesterov: true, weight_decay: 1e-4 }],
  ["mobilenet_v2", { name: "adamw", weight_decay: 0.01 }],
  ["googlenet", { name: "rmsprop", momentum: 0.9 }],
  ["yolov1", { name: "adam" }],
];

/** What a small GPU can do; and a large one, with Winograd's convolutions wherever they can be, or with float16. */
const SMALL = { workgroupBytes: 16384, subgroups: undefined, half: false, exact: true };
const LARGE = {
  workgroupBytes: 65536,
  subgroups: { directive: "enable subgroups;\n" },
  half: false,
  exact: false,
};
const GPUS = [
  { abilities: SMALL, choices: undefined },
  { abilities: LARGE, choices: new Always("winograd4") },
  { abilities: { ...LARGE, half: true }, choices: undefined },
];

/** All that a step may do beside its update. */
const EXTRAS = { clip_grad: 1, accumulate: 2, ema: true };

/** The sources of a step's kernels. */
function sourcesOf(model: Module, input: readonly [number, number, number], optimizer: OptimizerOptions) {
  const [channels, height, width] = input;
  const images = { batch: 2, channels, height, width, mean: [0.5, 0.5, 0.5], std: [0.5, 0.5, 0.5] };
  const task = isDetectionModel(model)
    ? detection(model.map)
    : classification({ label_smoothing: 0.1, mix: { mixup: 0.2, cutmix: 1 } });
  const graphs = sessionGraphs(model, { images, task, optimizer, ...EXTRAS });
  const limits = { maxBufferSize: 2 ** 30, maxStorageBufferBindingSize: 2 ** 30 };
  // As they were written, and as they run.
  const all = Object.entries(graphs).flatMap(([name, graph]) => {
    return [[name, graph], [`${name}, fused`, fuse(graph)]] as const;
  });
  const sources: string[] = [];
  const prepared = GPUS.flatMap(({ abilities, choices }) => [
    ...layOut(Object.fromEntries(all), limits, lowerWith(abilities, choices), abilities.half).prepared
      .values(),
  ]);
  for (const { program, halves } of prepared) {
    for (const call of program.calls) {
      // Each buffer by itself: their places do not matter here.
      const buffers = new Map<unknown, GPUBuffer>();
      const { source } = place(call, (item) => {
        if (!buffers.has(item)) buffers.set(item, {} as GPUBuffer);
        return [{ buffer: buffers.get(item)!, offset: 0, size: 256 }];
      }, halves);
      sources.push(source);
    }
  }
  return sources;
}

if (wantsWebgpu) {
  Deno.test({
    name: "every kernel of a training step is WGSL to a browser",
    ...inBrowser("kernels for WebGPU"),
    async fn() {
      const sources = STEPS.flatMap(([name, optimizer]) => {
        const { create, input, flags } = models[name]!;
        const paper = flags?.["paper"];
        return sourcesOf(create(paper?.kind === "switch" ? paper.sets : {}), input, optimizer);
      });
      const distinct = [...new Set(sources)];
      assert.ok(distinct.length > 100, `${distinct.length}`);
      // A page that WebGPU trusts: of this machine.
      const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, () => {
        return new Response("<!DOCTYPE html>", { headers: { "content-type": "text/html" } });
      });
      await withBrowser(async (browser) => {
        const page = await browser.newPage();
        await page.goto(`http://127.0.0.1:${server.addr.port}/`);
        assert.deepEqual(await page.evaluate(compile, distinct), []);
      }, true);
      await server.shutdown();
    },
  });
}

/** In the page: what its compiler has against the sources. */
async function compile(sources: readonly string[]): Promise<string[]> {
  const adapter = await navigator.gpu.requestAdapter();
  const device = await adapter!.requestDevice({
    requiredFeatures: [...adapter!.features] as GPUFeatureName[],
  });
  const half = adapter!.features.has("shader-f16");
  const able = sources.filter((code) => half || !code.includes("enable f16;"));
  const complaints = await Promise.all(able.map(async (code) => {
    const { messages } = await device.createShaderModule({ code }).getCompilationInfo();
    return messages.filter(({ type }) => type === "error").map(({ lineNum, message }) =>
      `${message}: ${code.split("\n")[lineNum - 1]}`
    );
  }));
  return complaints.flat();
}
