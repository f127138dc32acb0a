/** What is compared where nothing else is asked for: networks and their batches. */
import type { Mode } from "../core/bench/workload.ts";
import { networks } from "./networks.ts";
import type { Workload } from "./protocol.ts";

/** Images a step, by the networks that are compared. */
const BATCHES: Readonly<Record<Mode, Readonly<Record<string, number>>>> = {
  train: {
    resnet50: 8,
    vgg16_cifar: 100,
    resnet50_layer4: 100,
    darknet53: 4,
    googlenet: 8,
    yolov1: 2,
    small_cnn: 8,
  },
  infer: { resnet50: 8, vgg16: 4, googlenet: 8, resnet18: 8, alexnet: 16 },
};

export const modes = ["train", "infer"] as const satisfies readonly Mode[];

/** The workloads that are asked for; a choice for each mode where no networks are named. */
export function workloadsOf(
  { models, mode, batch }: { models?: readonly string[]; mode?: Mode; batch?: number },
): Workload[] {
  return modes.filter((each) => mode === undefined || each === mode).flatMap((mode) =>
    (models ?? Object.keys(BATCHES[mode])).map((model) => ({
      model,
      mode,
      batch: batch ?? BATCHES[mode][model] ?? 8,
      input: networks[model]!.input,
    }))
  );
}
