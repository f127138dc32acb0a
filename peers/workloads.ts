/** What is compared where nothing else is asked for: networks and their batches. */
import type { Mode } from "../core/bench/workload.ts";
import { networks } from "./networks.ts";
import type { Device, Workload } from "./protocol.ts";

/** Images a step, by the networks that are compared; a GPU takes more to be busy. */
const BATCHES: Readonly<Record<Device, Readonly<Record<Mode, Readonly<Record<string, number>>>>>> = {
  cpu: {
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
  },
  webgpu: {
    train: {
      resnet50: 64,
      vgg16_cifar: 256,
      resnet50_layer4: 256,
      darknet53: 32,
      googlenet: 64,
      small_cnn: 256,
    },
    infer: { resnet50: 64, vgg16: 32, googlenet: 64, resnet18: 64, alexnet: 128 },
  },
};

/** Of networks that are named and not compared by themselves. */
const BATCH: Readonly<Record<Device, number>> = { cpu: 8, webgpu: 64 };

export const modes = ["train", "infer"] as const satisfies readonly Mode[];

/** The workloads that are asked for; a choice for each mode where no networks are named. */
export function workloadsOf(
  { device = "cpu", models, mode, batch }: {
    device?: Device;
    models?: readonly string[];
    mode?: Mode;
    batch?: number;
  },
): Workload[] {
  const batches = BATCHES[device];
  return modes.filter((each) => mode === undefined || each === mode).flatMap((mode) =>
    (models ?? Object.keys(batches[mode])).map((model) => ({
      device,
      model,
      mode,
      batch: batch ?? batches[mode][model] ?? BATCH[device],
      input: networks[model]!.input,
    }))
  );
}
