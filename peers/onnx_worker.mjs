/** Infers with ONNX Runtime, of the package that is named as the argument: onnxruntime-node, onnxruntime-web. */
import { readFile } from "node:fs/promises";
import process from "node:process";
import { requirePackage, serve } from "./serve.mjs";

const [, , name] = process.argv;

function createSession(ort, { onnx, threads }) {
  if (name === "onnxruntime-node") {
    return ort.InferenceSession.create(onnx, { intraOpNumThreads: threads, interOpNumThreads: 1 });
  }
  ort.env.wasm.numThreads = threads;
  return readFile(onnx).then((model) => ort.InferenceSession.create(model, { executionProviders: ["wasm"] }));
}

await serve(async (job) => {
  const ort = requirePackage(job, name);
  const session = await createSession(ort, job);
  const shape = [job.batch, ...job.input];
  const numbers = Float32Array.from({ length: shape.reduce((a, b) => a * b) }, () => 2 * Math.random() - 1);
  const images = new ort.Tensor("float32", numbers, shape);
  return {
    version: `${name} ${ort.env.versions.common}`,
    step: async () => {
      await session.run({ images });
    },
  };
});
