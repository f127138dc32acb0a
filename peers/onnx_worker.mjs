/** Infers with ONNX Runtime, of the package that is named as the argument: onnxruntime-node, onnxruntime-web. */
import { readFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import process from "node:process";
import { pathToFileURL } from "node:url";
import { findPackage, requirePackage, serve, someImages } from "./serve.mjs";

const [, , name] = process.argv;

async function start(job) {
  const { device, onnx, threads } = job;
  if (name === "onnxruntime-node") {
    const ort = requirePackage(job, name);
    return [
      ort,
      await ort.InferenceSession.create(onnx, { intraOpNumThreads: threads, interOpNumThreads: 1 }),
    ];
  }
  const ort = device === "cpu" ? requirePackage(job, name) : await importWebgpu(job);
  ort.env.wasm.numThreads = device === "cpu" ? threads : 1;
  const executionProviders = [device === "cpu" ? "wasm" : "webgpu"];
  return [ort, await ort.InferenceSession.create(await readFile(onnx), { executionProviders })];
}

/** The package's build for browsers, which alone has WebGPU. */
async function importWebgpu(job) {
  const folder = dirname(findPackage(job, "onnxruntime-web/webgpu"));
  const ort = await import(pathToFileURL(join(folder, "ort.webgpu.bundle.min.mjs")).href);
  ort.env.wasm.wasmPaths = `${pathToFileURL(folder).href}/`;
  return ort;
}

await serve(async (job) => {
  const [ort, session] = await start(job);
  const { numbers, shape } = someImages(job);
  const images = new ort.Tensor("float32", numbers, shape);
  return {
    version: `${name} ${ort.env.versions.common}${job.device === "webgpu" ? " (WebGPU)" : ""}`,
    async take(steps) {
      for (let step = 0; step < steps; step++) await session.run({ images });
    },
  };
});
