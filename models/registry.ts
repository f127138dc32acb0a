/** Every network that has a name. */
import type { Module } from "../core/nn/mod.ts";
import * as resnet from "./resnet.ts";
import { resnet50_layer4 } from "./resnet50_layer4.ts";
import { vgg16_cifar } from "./vgg16_cifar.ts";

export interface ModelOptions {
  readonly num_classes?: number;
  readonly in_channels?: number;
}

export interface ModelEntry {
  readonly create: (options?: ModelOptions) => Module;
  /** Channels, height and width that the reference is made for. */
  readonly input: readonly [number, number, number];
  readonly num_classes: number;
}

const imagenet = { input: [3, 224, 224], num_classes: 1000 } as const;
const cifar = { input: [3, 32, 32], num_classes: 10 } as const;

export const models: Readonly<Record<string, ModelEntry>> = {
  resnet18: { create: resnet.resnet18, ...imagenet },
  resnet34: { create: resnet.resnet34, ...imagenet },
  resnet50: { create: resnet.resnet50, ...imagenet },
  resnet101: { create: resnet.resnet101, ...imagenet },
  resnet152: { create: resnet.resnet152, ...imagenet },
  resnet50_layer4: { create: resnet50_layer4, ...cifar },
  vgg16_cifar: { create: vgg16_cifar, ...cifar },
};
