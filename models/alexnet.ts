/**
 * AlexNet in one column, from "One weird trick for parallelizing convolutional neural networks" (Krizhevsky 2014),
 * https://arxiv.org/abs/1404.5997. Layers, names and initial values are torchvision's.
 */
import * as nn from "../core/nn/mod.ts";
import type { ModelOptions } from "./options.ts";

export class AlexNet extends nn.Module {
  features: nn.Sequential;
  avgpool = new nn.AdaptiveAvgPool2d(6);
  classifier: nn.Sequential;

  constructor({ num_classes = 1000, in_channels = 3 }: ModelOptions = {}) {
    super();
    this.features = new nn.Sequential(
      new nn.Conv2d(in_channels, 64, 11, { stride: 4, padding: 2 }),
      new nn.ReLU(),
      new nn.MaxPool2d(3, { stride: 2 }),
      new nn.Conv2d(64, 192, 5, { padding: 2 }),
      new nn.ReLU(),
      new nn.MaxPool2d(3, { stride: 2 }),
      new nn.Conv2d(192, 384, 3, { padding: 1 }),
      new nn.ReLU(),
      new nn.Conv2d(384, 256, 3, { padding: 1 }),
      new nn.ReLU(),
      new nn.Conv2d(256, 256, 3, { padding: 1 }),
      new nn.ReLU(),
      new nn.MaxPool2d(3, { stride: 2 }),
    );
    this.classifier = new nn.Sequential(
      new nn.Dropout(),
      new nn.Linear(256 * 6 * 6, 4096),
      new nn.ReLU(),
      new nn.Dropout(),
      new nn.Linear(4096, 4096),
      new nn.ReLU(),
      new nn.Linear(4096, num_classes),
    );
  }

  forward(x: nn.Tensor): nn.Tensor {
    return this.classifier.forward(nn.flatten(this.avgpool.forward(this.features.forward(x))));
  }
}

export const alexnet = (options?: ModelOptions) => new AlexNet(options);
