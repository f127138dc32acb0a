/**
 * VGG-16 for CIFAR-10: configuration D of "Very Deep Convolutional Networks for Large-Scale Image Recognition"
 * (Simonyan & Zisserman 2014), https://arxiv.org/abs/1409.1556, on 32×32 images, with a small classifier.
 */
import * as nn from "../core/nn/mod.ts";
import type { ModelOptions } from "./options.ts";
import { convolutions } from "./vgg.ts";

export class Vgg16Cifar extends nn.Module {
  features: nn.Sequential;
  classifier: nn.Sequential;

  constructor({ num_classes = 10, in_channels = 3, input_size = [32, 32] }: ModelOptions = {}) {
    super();
    this.features = new nn.Sequential(...convolutions("D", in_channels));
    const image = [1, in_channels, ...input_size];
    const [, features = 0] = nn.shapeAfter(this, image, (x) => nn.flatten(this.features.forward(x)));
    this.classifier = new nn.Sequential(
      new nn.Dropout(),
      new nn.Linear(features, 512),
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

export const vgg16_cifar = (options?: ModelOptions) => new Vgg16Cifar(options);
