/**
 * Very Deep Convolutional Networks for Large-Scale Image Recognition (Simonyan & Zisserman 2014),
 * https://arxiv.org/abs/1409.1556. Layers, names and initial values are torchvision's.
 */
import * as nn from "../core/nn/mod.ts";
import type { ModelOptions } from "./options.ts";

/** Columns of the paper's table 1: output channels of the 3×3 convolutions, "M" for a 2×2 max pool. */
// deno-fmt-ignore
export const configurations = {
  A: [64, "M", 128, "M", 256, 256, "M", 512, 512, "M", 512, 512, "M"],
  B: [64, 64, "M", 128, 128, "M", 256, 256, "M", 512, 512, "M", 512, 512, "M"],
  D: [64, 64, "M", 128, 128, "M", 256, 256, 256, "M", 512, 512, 512, "M", 512, 512, 512, "M"],
  E: [64, 64, "M", 128, 128, "M", 256, 256, 256, 256, "M", 512, 512, 512, 512, "M", 512, 512, 512, 512, "M"],
} as const;

type Configuration = keyof typeof configurations;

export class Vgg extends nn.Module {
  features: nn.Sequential;
  avgpool = new nn.AdaptiveAvgPool2d(7);
  classifier: nn.Sequential;

  constructor(configuration: Configuration, batch_norm: boolean, options: ModelOptions = {}) {
    super();
    const { num_classes = 1000, in_channels = 3 } = options;
    this.features = new nn.Sequential(...convolutions(configuration, in_channels, batch_norm));
    this.classifier = new nn.Sequential(
      linear(512 * 7 * 7, 4096),
      new nn.ReLU(),
      new nn.Dropout(),
      linear(4096, 4096),
      new nn.ReLU(),
      new nn.Dropout(),
      linear(4096, num_classes),
    );
  }

  forward(x: nn.Tensor): nn.Tensor {
    return this.classifier.forward(nn.flatten(this.avgpool.forward(this.features.forward(x))));
  }
}

/** The layers of one column of the table. */
export function convolutions(
  configuration: Configuration,
  channels: number,
  batch_norm = false,
): nn.Module[] {
  return configurations[configuration].flatMap((entry) => {
    if (entry === "M") return [new nn.MaxPool2d(2)];
    const conv = new nn.Conv2d(channels, entry, 3, { padding: 1 });
    conv.weight.init = nn.kaimingNormalFanOut(conv.weight.shape);
    conv.bias!.init = nn.constant(0);
    channels = entry;
    return [conv, ...(batch_norm ? [new nn.BatchNorm2d(entry)] : []), new nn.ReLU()];
  });
}

function linear(in_features: number, out_features: number): nn.Linear {
  const layer = new nn.Linear(in_features, out_features);
  layer.weight.init = nn.normal(0, 0.01);
  layer.bias!.init = nn.constant(0);
  return layer;
}

export const vgg11 = (options?: ModelOptions) => new Vgg("A", false, options);
export const vgg13 = (options?: ModelOptions) => new Vgg("B", false, options);
export const vgg16 = (options?: ModelOptions) => new Vgg("D", false, options);
export const vgg19 = (options?: ModelOptions) => new Vgg("E", false, options);
export const vgg11_bn = (options?: ModelOptions) => new Vgg("A", true, options);
export const vgg13_bn = (options?: ModelOptions) => new Vgg("B", true, options);
export const vgg16_bn = (options?: ModelOptions) => new Vgg("D", true, options);
export const vgg19_bn = (options?: ModelOptions) => new Vgg("E", true, options);
