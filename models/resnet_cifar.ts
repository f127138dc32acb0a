/**
 * ResNet-20 for CIFAR-10: section 4.2 of "Deep Residual Learning for Image Recognition" (He, Zhang, Ren, Sun 2015),
 * https://arxiv.org/abs/1512.03385, with shortcuts that have no parameters (option A). Names and initial values are those
 * of https://github.com/akamaster/pytorch_resnet_cifar10, whose files put `module.` before each name.
 */
import * as nn from "../core/nn/mod.ts";
import type { ModelOptions } from "./options.ts";

class BasicBlock extends nn.Module {
  conv1: nn.Conv2d;
  bn1: nn.BatchNorm2d;
  conv2: nn.Conv2d;
  bn2: nn.BatchNorm2d;
  readonly #stride: number;
  readonly #padding: number;

  constructor(in_planes: number, planes: number, stride: number) {
    super();
    this.conv1 = conv3x3(in_planes, planes, stride);
    this.bn1 = new nn.BatchNorm2d(planes);
    this.conv2 = conv3x3(planes, planes, 1);
    this.bn2 = new nn.BatchNorm2d(planes);
    this.#stride = stride;
    this.#padding = (planes - in_planes) / 2;
  }

  forward(x: nn.Tensor): nn.Tensor {
    const y = nn.relu(this.bn1.forward(this.conv1.forward(x)));
    return nn.relu(nn.add(this.bn2.forward(this.conv2.forward(y)), this.#shortcut(x)));
  }

  /** Every second pixel, with channels of zeros around its own. */
  #shortcut(x: nn.Tensor): nn.Tensor {
    if (this.#stride === 1 && this.#padding === 0) return x;
    return nn.padChannels(nn.avgPool2d(x, 1, { stride: this.#stride }), this.#padding, this.#padding);
  }
}

export class ResNetCifar extends nn.Module {
  conv1: nn.Conv2d;
  bn1 = new nn.BatchNorm2d(16);
  layer1: nn.Sequential;
  layer2: nn.Sequential;
  layer3: nn.Sequential;
  linear: nn.Linear;

  /** `blocks` in each of the three stages: the network has 6 · blocks + 2 layers. */
  constructor(blocks: number, { num_classes = 10, in_channels = 3 }: ModelOptions = {}) {
    super();
    this.conv1 = conv3x3(in_channels, 16, 1);
    this.layer1 = stage(16, 16, blocks, 1);
    this.layer2 = stage(16, 32, blocks, 2);
    this.layer3 = stage(32, 64, blocks, 2);
    this.linear = new nn.Linear(64, num_classes);
    for (const module of nn.modules(this)) {
      if (module instanceof nn.Conv2d || module instanceof nn.Linear) {
        module.weight.init = nn.kaimingNormalFanIn(module.weight.shape);
      }
    }
  }

  forward(x: nn.Tensor): nn.Tensor {
    x = nn.relu(this.bn1.forward(this.conv1.forward(x)));
    x = this.layer3.forward(this.layer2.forward(this.layer1.forward(x)));
    return this.linear.forward(nn.flatten(nn.adaptiveAvgPool2d(x, 1)));
  }
}

function conv3x3(in_planes: number, planes: number, stride: number): nn.Conv2d {
  return new nn.Conv2d(in_planes, planes, 3, { stride, padding: 1, bias: false });
}

function stage(in_planes: number, planes: number, blocks: number, stride: number): nn.Sequential {
  return new nn.Sequential(...Array.from(
    { length: blocks },
    (_, i) => i === 0 ? new BasicBlock(in_planes, planes, stride) : new BasicBlock(planes, planes, 1),
  ));
}

export const resnet20 = (options?: ModelOptions) => new ResNetCifar(3, options);
