/** What a network is trained for, as itself says. */
import { isDetectionModel } from "../detect/model.ts";
import type { Module } from "../nn/module.ts";
import { classification, type ClassificationOptions } from "./classification.ts";
import { detection, type DetectionWeights } from "./detection.ts";
import type { TestResult } from "./evaluation.ts";
import type { Task } from "./task.ts";

/** To find boxes, of a detector; of all others to tell classes. Of the options those of its task count. */
export function taskOf(
  model: Module,
  options: ClassificationOptions & DetectionWeights = {},
): Task<TestResult> {
  return isDetectionModel(model) ? detection({ ...model.map, ...options }) : classification(options);
}
