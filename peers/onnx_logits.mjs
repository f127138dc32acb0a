/**
 * Runs one ONNX file with onnxruntime-node: `node onnx_logits.mjs JOB`, where JOB is JSON with the folder of the package, the
 * files of the network and of images (f32, all with the shape `image`), the batches to run it with, each of the first so
 * many images, and where the logits go, one batch after another.
 */
import { Buffer } from "node:buffer";
import { readFile, writeFile } from "node:fs/promises";
import process from "node:process";
import { requirePackage } from "./serve.mjs";

const job = JSON.parse(process.argv[2]);
const ort = requirePackage(job, "onnxruntime-node");
const session = await ort.InferenceSession.create(job.onnx);
const bytes = await readFile(job.images);
const numbers = new Float32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4);
const size = job.image.reduce((product, extent) => product * extent, 1);
const parts = [];
for (const batch of job.batches) {
  const images = numbers.subarray(0, batch * size);
  const { logits } = await session.run({ input: new ort.Tensor("float32", images, [batch, ...job.image]) });
  parts.push(Buffer.from(logits.data.buffer, logits.data.byteOffset, logits.data.byteLength));
}
await writeFile(job.logits, Buffer.concat(parts));
