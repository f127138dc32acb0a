/**
 * Takes steps with tfjs: inference on its WASM backend; training on its JavaScript backend, since the WASM backend has no
 * gradient of a convolution to its weights (Conv2DBackpropFilter).
 */
import { requirePackage, serve } from "./serve.mjs";
import { networks } from "./tfjs_networks.mjs";

await serve(async (job) => {
  const tf = requirePackage(job, "@tensorflow/tfjs");
  const training = job.mode === "train";
  // In Node it runs on one thread, whatever it is told (tensorflow/tfjs#3830).
  if (!training) requirePackage(job, "@tensorflow/tfjs-backend-wasm");
  await tf.setBackend(training ? "cpu" : "wasm");

  const model = networks[job.model](tf, job);
  const trainable = model.trainableWeights.reduce((sum, { shape }) => sum + shape.reduce((a, b) => a * b), 0);
  if (trainable !== job.parameters) {
    throw new Error(`${job.model} has ${trainable} parameters in tfjs and ${job.parameters} in Strata`);
  }
  const [channels, height, width] = job.input;
  const images = tf.randomUniform([job.batch, height, width, channels], -1, 1);
  return {
    version: `tfjs ${tf.version.tfjs} ${training ? "(JavaScript)" : "(WASM)"}`,
    step: training ? trainingStep(tf, model, images, job) : () => inferenceStep(tf, model, images),
  };
});

async function inferenceStep(tf, model, images) {
  const scores = model.predictOnBatch(images);
  await scores.data();
  tf.dispose(scores);
}

function trainingStep(tf, model, images, { batch, classes }) {
  const targets = tf.oneHot(Array.from({ length: batch }, (_, i) => i % classes), classes);
  model.compile({
    optimizer: tf.train.momentum(1e-4, 0.9),
    loss: (target, scores) => tf.losses.softmaxCrossEntropy(target, scores),
  });
  return async () => {
    const loss = await model.trainOnBatch(images, targets);
    if (!Number.isFinite(loss)) throw new Error("the loss is not finite");
  };
}
