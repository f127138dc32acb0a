/**
 * ResNet-8 for CIFAR-10, the image classifier of "MLPerf Tiny Benchmark" (Banbury et al. 2021),
 * https://arxiv.org/abs/2106.07597: three stages of one block, after "Deep Residual Learning for Image Recognition" (He,
 * Zhang, Ren, Sun 2015). Layers, initial values and the settings of batch norm are those of the Keras version in
 * https://github.com/mlcommons/tiny (resnet_v1_eembc), whose weights are for pixels from 0 to 255. The scores come without
 * softmax.
 */
import * as nn from "../core/nn/mod.ts";
import { KERAS_BATCH_NORM } from "./keras.ts";
import type { ModelOptions } from "./options.ts";

/** Two 3×3 convolutions beside a shortcut, which is a 1×1 convolution where the stride is not 1. */
class Block extends nn.Module {
  conv1: nn.Conv2d;
  bn1: nn.BatchNorm2d;
  conv2: nn.Conv2d;
  bn2: nn.BatchNorm2d;
  shortcut: nn.Conv2d | undefined;

  constructor(in_planes: number, planes: number, stride: number) {
    super();
    this.conv1 = new nn.Conv2d(in_planes, planes, 3, { stride, padding: "same" });
    this.bn1 = new nn.BatchNorm2d(planes, KERAS_BATCH_NORM);
    this.conv2 = new nn.Conv2d(planes, planes, 3, { padding: "same" });
    this.bn2 = new nn.BatchNorm2d(planes, KERAS_BATCH_NORM);
    this.shortcut = stride === 1
      ? undefined
      : new nn.Conv2d(in_planes, planes, 1, { stride, padding: "same" });
  }

  forward(x: nn.Tensor): nn.Tensor {
    const y = nn.relu(this.bn1.forward(this.conv1.forward(x)));
    return nn.relu(nn.add(this.shortcut?.forward(x) ?? x, this.bn2.forward(this.conv2.forward(y))));
  }
}

export class ResNet8Keras extends nn.Module {
  conv1: nn.Conv2d;
  bn1 = new nn.BatchNorm2d(16, KERAS_BATCH_NORM);
  block1 = new Block(16, 16, 1);
  block2 = new Block(16, 32, 2);
  block3 = new Block(32, 64, 2);
  dense: nn.Linear;

  constructor({ num_classes = 10, in_channels = 3 }: ModelOptions = {}) {
    super();
    this.conv1 = new nn.Conv2d(in_channels, 16, 3, { padding: "same" });
    this.dense = new nn.Linear(64, num_classes);
    for (const module of nn.modules(this)) {
      if (!(module instanceof nn.Conv2d || module instanceof nn.Linear)) continue;
      module.weight.init = nn.kaimingNormalFanIn(module.weight.shape);
      if (module.bias) module.bias.init = nn.constant(0);
    }
  }

  forward(x: nn.Tensor): nn.Tensor {
    x = nn.relu(this.bn1.forward(this.conv1.forward(x)));
    x = this.block3.forward(this.block2.forward(this.block1.forward(x)));
    return this.dense.forward(nn.flatten(nn.adaptiveAvgPool2d(x, 1)));
  }
}

export const resnet8_keras = (options?: ModelOptions) => new ResNet8Keras(options);
