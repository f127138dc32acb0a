/**
 * Runs one ONNX file with onnxruntime-node: `node onnx_logits.mjs JOB`, where JOB is JSON with the folder of the package, the
 * files of the network and of its images (f32), their shape, and where the logits go.
 */
import { readFile, writeFile } from "node:fs/promises";
import process from "node:process";
import { requirePackage } from "./serve.mjs";

const job = JSON.parse(process.argv[2]);
const ort = requirePackage(job, "onnxruntime-node");
const session = await ort.InferenceSession.create(job.onnx);
const bytes = await readFile(job.images);
const numbers = new Float32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4);
const { logits } = await session.run({ input: new ort.Tensor("float32", numbers, job.shape) });
await writeFile(
  job.logits,
  new Uint8Array(logits.data.buffer, logits.data.byteOffset, logits.data.byteLength),
);
