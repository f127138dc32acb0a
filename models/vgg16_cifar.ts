/**
 * VGG-16 for CIFAR-10: configuration D of "Very Deep Convolutional Networks for Large-Scale Image Recognition"
 * (Simonyan & Zisserman 2014), https://arxiv.org/abs/1409.1556, on 32×32 images, with a small classifier.
 */
import * as nn from "../core/nn/mod.ts";

/** Output channels of the 3×3 convolutions, "M" for a 2×2 max pool. */
const D = [64, 64, "M", 128, 128, "M", 256, 256, 256, "M", 512, 512, 512, "M", 512, 512, 512, "M"] as const;

export interface Vgg16CifarOptions {
  readonly num_classes?: number;
  readonly in_channels?: number;
}

export class Vgg16Cifar extends nn.Module {
  features: nn.Sequential;
  classifier: nn.Sequential;

  constructor({ num_classes = 10, in_channels = 3 }: Vgg16CifarOptions = {}) {
    super();
    this.features = new nn.Sequential(...convolutions(in_channels));
    this.classifier = new nn.Sequential(
      new nn.Dropout(),
      new nn.Linear(512, 512),
      new nn.BatchNorm1d(512),
      new nn.ReLU(),
      new nn.Dropout(),
      new nn.Linear(512, num_classes),
    );
  }

  forward(x: nn.Tensor): nn.Tensor {
    return this.classifier.forward(nn.flatten(this.features.forward(x)));
  }
}

function convolutions(channels: number): nn.Module[] {
  return D.flatMap((entry) => {
    if (entry === "M") return [new nn.MaxPool2d(2)];
    const conv = new nn.Conv2d(channels, entry, 3, { padding: 1 });
    conv.weight.init = nn.kaimingNormalFanOut(conv.weight.shape);
    conv.bias!.init = nn.constant(0);
    channels = entry;
    return [conv, new nn.ReLU()];
  });
}

export const vgg16_cifar = (options?: Vgg16CifarOptions) => new Vgg16Cifar(options);
