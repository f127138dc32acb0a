/**
 * Strata as a library. Nothing below this file touches files or the network on its own account, except to fetch its own
 * kernels and the digits that come with it, so it runs in Deno and in browsers alike.
 *
 * ```ts
 * import { createTrainer, createWasmBackend, loadDigits, nn, schedule } from "./core/mod.ts";
 *
 * class Net extends nn.Module {
 *   conv1 = new nn.Conv2d(3, 16, 3, { stride: 2, padding: 1 });
 *   conv2 = new nn.Conv2d(16, 32, 3, { stride: 2, padding: 1 });
 *   fc = new nn.Linear(32 * 4 * 4, 10);
 *   forward(x: nn.Tensor) {
 *     x = nn.relu(this.conv1.forward(x));
 *     x = nn.relu(this.conv2.forward(x));
 *     return this.fc.forward(nn.flatten(nn.maxPool2d(x, 2)));
 *   }
 * }
 *
 * const backend = await createWasmBackend();
 * const trainer = createTrainer({
 *   backend,
 *   model: new Net(),
 *   data: await loadDigits(),
 *   batch_size: 32,
 *   epochs: 2,
 *   optimizer: { name: "sgd", momentum: 0.9 },
 *   lr: schedule({ name: "cosine", lr: 0.1, T_max: 2 }),
 *   label_smoothing: 0,
 *   seed: 1,
 * });
 * await trainer.initialise();
 * for await (const event of trainer.train()) {
 *   if (event.type === "epoch") console.log(event.test.accuracy);
 * }
 * backend.close();
 * ```
 */

// What a network is written with: modules, layers, functions, `nn.trace`.
export * as nn from "./nn/mod.ts";

// Graphs: what a network does, as data.
export { GraphBuilder, ShapeError } from "./graph/builder.ts";
export { gradient, gradients } from "./graph/gradient.ts";
export * from "./graph/graph.ts";
export * from "./shape.ts";

// What runs them.
export { type Backend, type MemoryReport, OutOfMemory, type Session } from "./backend/backend.ts";
export { createWasmBackend, type WasmOptions } from "./backend/wasm/backend.ts";
export { createWebgpuBackend, type WebgpuOptions } from "./backend/webgpu/backend.ts";

// Data sets.
export { assembleCifar10, cifar10Normalize, parseBinaryBatch, parsePythonBatch } from "./data/cifar10.ts";
export * from "./data/dataset.ts";
export { digitsNormalize, loadDigits } from "./data/digits.ts";
export * from "./data/memory.ts";
export { assembleMnist, mnistNormalize, type MnistPart } from "./data/mnist.ts";
export { type Image } from "./data/transforms/image.ts";
export { applyTransforms, type Draws, type Transform } from "./data/transforms/mod.ts";

// Training.
export { type OptimizerName, optimizerNames, type OptimizerOptions } from "./optim/optimizer.ts";
export {
  type Schedule,
  schedule,
  type ScheduleName,
  scheduleNames,
  type ScheduleOptions,
} from "./optim/schedule.ts";
export { type CheckpointHeader, readHeader, restore, toCheckpoint } from "./train/checkpoint.ts";
export type { Evaluation, TestResult } from "./train/evaluation.ts";
export { largestBatch, measureRun } from "./train/run_graphs.ts";
export type { Progress } from "./train/progress.ts";
export {
  createTrainer,
  NotFinite,
  type Trainer,
  type TrainerOptions,
  type TrainingEvent,
} from "./train/trainer.ts";

// What a network sees on images, and where.
export { createPredictor, type Predictor, type PredictorOptions } from "./predict/predictor.ts";
export { overlay } from "./predict/overlay.ts";

// Files of weights, summaries, pictures.
export * from "./format/safetensors.ts";
export { parseStateDict } from "./format/read_state_dict.ts";
export { StateDict, type StateTensor } from "./format/state_dict.ts";
export {
  loadStateDict,
  type MatchedStateDict,
  type MatchOptions,
  matchStateDict,
} from "./nn/match_state_dict.ts";
export { exportOnnx, type OnnxOptions } from "./onnx/export.ts";
export { type Layer, summarise, type Summary, type SummaryOptions } from "./summary/summary.ts";
export { dotText, type DrawOptions } from "./draw/dot.ts";

export { UserError } from "./errors.ts";
