/**
 * Takes steps with tfjs: on a GPU by its WebGPU backend; on a processor inference by its WASM backend and training by its
 * JavaScript backend, since the WASM backend has no gradient of a convolution to its weights (Conv2DBackpropFilter).
 */
import { requirePackage, serve, someImages } from "./serve.mjs";
import { networks } from "./tfjs_networks.mjs";

/** In Node the WASM backend runs on one thread, whatever it is told (tensorflow/tfjs#3830). */
const BACKENDS = {
  webgpu: { name: "webgpu", title: "WebGPU", package: "@tensorflow/tfjs-backend-webgpu" },
  infer: { name: "wasm", title: "WASM", package: "@tensorflow/tfjs-backend-wasm" },
  train: { name: "cpu", title: "JavaScript", package: "@tensorflow/tfjs" },
};

await serve(async (job) => {
  const tf = requirePackage(job, "@tensorflow/tfjs");
  const training = job.mode === "train", onGpu = job.device === "webgpu";
  const backend = BACKENDS[onGpu ? "webgpu" : job.mode];
  requirePackage(job, backend.package);
  if (!await tf.setBackend(backend.name)) throw new Error(`its ${backend.title} backend does not start`);

  const model = networks[job.model](tf, job);
  const trainable = model.trainableWeights.reduce((sum, { shape }) => sum + shape.reduce((a, b) => a * b), 0);
  if (trainable !== job.parameters) {
    throw new Error(`${job.model} has ${trainable} parameters in tfjs and ${job.parameters} in Strata`);
  }
  const takeStep = training ? trainingStep(tf, model, job) : (images) => model.predictOnBatch(images);
  const { numbers, shape: [batch, channels, height, width] } = someImages(job);
  const bring = () => tf.tensor(numbers, [batch, height, width, channels]);
  const kept = onGpu ? undefined : bring();
  return {
    version: `tfjs ${tf.version.tfjs} (${backend.title})`,
    async take(steps) {
      const results = [];
      for (let step = 0; step < steps; step++) {
        const images = kept ?? bring();
        results.push(takeStep(images));
        if (!kept) images.dispose();
      }
      // Losses or scores.
      const numbers = await Promise.all(results.map((result) => result.data()));
      tf.dispose(results);
      if (training && !numbers.every(([loss]) => Number.isFinite(loss))) {
        throw new Error("the loss is not finite");
      }
    },
  };
});

/** As `trainOnBatch`, which would wait for each loss. */
function trainingStep(tf, model, { batch, classes }) {
  const targets = tf.oneHot(Array.from({ length: batch }, (_, i) => i % classes), classes);
  const optimizer = tf.train.momentum(1e-4, 0.9);
  const variables = model.trainableWeights.map((weight) => weight.read());
  return (images) =>
    optimizer.minimize(
      () => tf.losses.softmaxCrossEntropy(targets, model.apply(images, { training: true })),
      true,
      variables,
    );
}
