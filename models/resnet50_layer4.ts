/**
 * The ResNet-50 of the CIFAR-10 course work, cut after its fourth layer: bottlenecks as in He et al. 2015
 * (https://arxiv.org/abs/1512.03385) but with biases, a halving block last in each of the first two stages, and no ReLU
 * after the sum. Names and layout are the original's, so that its weights load: every block owns its channel
 * projection, used or not, and a halving block its strided one as well.
 */
import * as nn from "../core/nn/mod.ts";
import type { ModelOptions } from "./options.ts";

interface BottleneckShape {
  readonly in_channels: number;
  readonly mid_channels: number;
  readonly out_channels: number;
  readonly halve: boolean;
}

class Bottleneck extends nn.Module {
  layer: nn.Sequential;
  downsize: nn.Sequential | undefined;
  make_equal_channel: nn.Sequential;
  readonly #shape: BottleneckShape;

  constructor(shape: BottleneckShape) {
    super();
    const { in_channels, mid_channels, out_channels, halve } = shape;
    const stride = halve ? 2 : 1;
    this.#shape = shape;
    this.layer = new nn.Sequential(
      convBnRelu(in_channels, mid_channels, 1, { stride }),
      convBnRelu(mid_channels, mid_channels, 3, { padding: 1 }),
      convBnRelu(mid_channels, out_channels, 1),
    );
    this.downsize = halve ? convBnRelu(in_channels, out_channels, 1, { stride }) : undefined;
    this.make_equal_channel = convBnRelu(in_channels, out_channels, 1);
  }

  forward(x: nn.Tensor): nn.Tensor {
    return nn.add(this.layer.forward(x), this.#shortcut(x));
  }

  #shortcut(x: nn.Tensor): nn.Tensor {
    if (this.downsize) return this.downsize.forward(x);
    const { in_channels, out_channels } = this.#shape;
    return in_channels === out_channels ? x : this.make_equal_channel.forward(x);
  }
}

export class ResNet50Layer4 extends nn.Module {
  layer1: nn.Sequential;
  layer2 = stage(64, 64, 256, 3, true);
  layer3 = stage(256, 128, 512, 4, true);
  layer4 = stage(512, 256, 1024, 6, false);
  fc: nn.Linear;
  avgpool = new nn.AvgPool2d(2);

  constructor({ num_classes = 10, in_channels = 3, input_size = [32, 32] }: ModelOptions = {}) {
    super();
    this.layer1 = new nn.Sequential(
      new nn.Conv2d(in_channels, 64, 7, { stride: 2, padding: 3 }),
      new nn.BatchNorm2d(64),
      new nn.ReLU(),
      new nn.MaxPool2d(3, { stride: 2, padding: 1 }),
    );
    const [, features = 0] = nn.shapeAfter(this, [1, in_channels, ...input_size], (x) => this.#features(x));
    this.fc = new nn.Linear(features, num_classes);
    for (const module of nn.modules(this)) {
      if (module instanceof nn.Conv2d || module instanceof nn.Linear) {
        module.weight.init = nn.xavierUniform(module.weight.shape);
      }
    }
  }

  forward(x: nn.Tensor): nn.Tensor {
    return this.fc.forward(this.#features(x));
  }

  #features(x: nn.Tensor): nn.Tensor {
    for (const layer of [this.layer1, this.layer2, this.layer3, this.layer4]) x = layer.forward(x);
    return nn.flatten(this.avgpool.forward(x));
  }
}

function convBnRelu(
  in_channels: number,
  out_channels: number,
  kernel_size: number,
  options: nn.Conv2dArguments = {},
): nn.Sequential {
  return new nn.Sequential(
    new nn.Conv2d(in_channels, out_channels, kernel_size, options),
    new nn.BatchNorm2d(out_channels),
    new nn.ReLU(),
  );
}

/** Blocks of one stage; the last halves the image where `halve` says so. */
function stage(
  in_channels: number,
  mid_channels: number,
  out_channels: number,
  blocks: number,
  halve: boolean,
): nn.Sequential {
  return new nn.Sequential(...Array.from({ length: blocks }, (_, i) =>
    new Bottleneck({
      in_channels: i === 0 ? in_channels : out_channels,
      mid_channels,
      out_channels,
      halve: halve && i === blocks - 1,
    })));
}

export const resnet50_layer4 = (options?: ModelOptions) => new ResNet50Layer4(options);
