/**
 * Strata as a library. Nothing below this file touches files or the network on its own account, except to fetch its own
 * kernels and the digits that come with it, so it runs in Deno and in browsers alike.
 *
 * ```ts
 * import { classification, createTrainer, createWasmBackend, loadDigits, nn, schedule } from "./core/mod.ts";
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
 *   task: classification(),
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
export {
  classification,
  type ClassificationOptions,
  type ClassificationResult,
} from "./train/classification.ts";
export { detection, type DetectionResult, type DetectionTaskOptions } from "./train/detection.ts";
export type { TestResult } from "./train/evaluation.ts";
export type { Evaluation, Figures, Judged, Task } from "./train/task.ts";
export { largestBatch, measureRun } from "./train/run_graphs.ts";
export type { Progress } from "./train/progress.ts";
export { createTrainer, type Trainer, type TrainerOptions, type TrainingEvent } from "./train/trainer.ts";
export { NotFinite } from "./train/not_finite.ts";

// What a network sees on images, and where.
export { createPredictor, type Predictor, type PredictorOptions } from "./predict/predictor.ts";
export { overlay } from "./predict/overlay.ts";

/*
 * Detection: what is where. A detector is a module that says what its map of boxes is like, as models/yolov1.ts does.
 *
 * ```ts
 * import * as strata from "./core/mod.ts";
 *
 * class Net extends strata.nn.Module {
 *   map = { split_size: 2, num_boxes: 1, num_classes: 3 };
 *   conv = new strata.nn.Conv2d(3, 8, 3, { stride: 2, padding: 1 });
 *   fc = new strata.nn.Linear(8 * 2 * 2, 2 * 2 * (3 + 5));
 *   forward(x: strata.nn.Tensor) {
 *     x = strata.nn.relu(this.conv.forward(x));
 *     return this.fc.forward(strata.nn.flatten(strata.nn.adaptiveAvgPool2d(x, 2)));
 *   }
 * }
 *
 * const backend = await strata.createWasmBackend();
 * const images = { batch: 1, channels: 3, height: 32, width: 32, mean: [0, 0, 0], std: [1, 1, 1] };
 * const detector = strata.createDetector({ backend, model: new Net(), images });
 * // With weights: strata.loadStateDict(detector.session, strata.matchStateDict(model, strata.parseStateDict(bytes, "net.pth")));
 *
 * const photograph = { width: 640, height: 480, channels: 3, data: new Uint8Array(640 * 480 * 3) };
 * const [found] = await detector.detect([photograph], { conf_threshold: 0.3 });
 * backend.close();
 *
 * // Boxes are in the photograph's pixels. What is there tells how good they are, by VOC's rules.
 * const cat = { box: { x1: 20, y1: 30, x2: 320, y2: 240 }, label: 0, difficult: false };
 * const { report } = strata.evaluateDetections([{ detections: found!, objects: [cat] }], ["cat", "dog", "bird"]);
 * for (const line of strata.detectionTable(report)) console.log(line);
 * ```
 */
export { areaOf, type Box, clipBox, intersection, iou, scaleBox } from "./detect/box.ts";
export { decode, type DecodeOptions } from "./detect/decode.ts";
export { detect, type DetectOptions } from "./detect/detect.ts";
export type { Detection } from "./detect/detection.ts";
export type { LabelledBox } from "./detect/labelled_box.ts";
export { type DetectionModel, isDetectionModel } from "./detect/model.ts";
export { nms, suppress, type SuppressOptions } from "./detect/nms.ts";
export { type Marked, overlay as boxOverlay } from "./detect/overlay.ts";
export { type BoxesOfImage, fillTarget } from "./detect/targets.ts";
export { createDetector, type Detector, type DetectorOptions } from "./predict/detector.ts";
export type { MapShape } from "./ops/yolo_loss.ts";

// How good a detector is.
export { type CocoAnnotations, cocoAnnotations, type CocoResult, cocoResults } from "./metrics/coco.ts";
export { type DetectionEvaluation, evaluateDetections, judgedImage } from "./metrics/detection_evaluation.ts";
export type { JudgedImage } from "./metrics/detection_matches.ts";
export {
  type ClassReport,
  type DetectionReport,
  detectionReport,
  type HistogramBin,
  iouHistogram,
} from "./metrics/detection_report.ts";
export { detectionTable } from "./metrics/detection_table.ts";

// Files of boxes.
export { parseVoc } from "./data/detection/voc.ts";
export type { AnnotatedImage, NamedBox, Sample } from "./data/detection/sample.ts";
export { namedObjects, parseYoloLabels, yoloLine, type YoloObject } from "./data/detection/yolo_labels.ts";

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
