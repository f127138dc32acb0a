/**
 * Darknet-53, the backbone of "YOLOv3: An Incremental Improvement" (Redmon & Farhadi 2018),
 * https://arxiv.org/abs/1804.02767, as a classifier. Names are those of the PyTorch version that the course work uses.
 */
import * as nn from "../core/nn/mod.ts";
import type { ModelOptions } from "./options.ts";

/** A convolution without bias that keeps the image's size at stride 1, batch norm, leaky ReLU. */
function conv(in_channels: number, out_channels: number, kernel_size: 1 | 3, stride = 1): nn.Sequential {
  const padding = (kernel_size - 1) / 2;
  return new nn.Sequential(
    new nn.Conv2d(in_channels, out_channels, kernel_size, { stride, padding, bias: false }),
    new nn.BatchNorm2d(out_channels),
    new nn.LeakyReLU(),
  );
}

/** Half the channels by a 1×1 convolution, all of them again by a 3×3, and the input added. */
class Residual extends nn.Module {
  layer1: nn.Sequential;
  layer2: nn.Sequential;

  constructor(channels: number) {
    super();
    this.layer1 = conv(channels, channels / 2, 1);
    this.layer2 = conv(channels / 2, channels, 3);
  }

  forward(x: nn.Tensor): nn.Tensor {
    return nn.add(this.layer2.forward(this.layer1.forward(x)), x);
  }
}

function residuals(channels: number, blocks: number): nn.Sequential {
  return new nn.Sequential(...Array.from({ length: blocks }, () => new Residual(channels)));
}

/** What the network sees: 1024 channels. */
export class Darknet53Features extends nn.Module {
  conv1: nn.Sequential;
  conv2 = conv(32, 64, 3, 2);
  residual_block1 = residuals(64, 1);
  conv3 = conv(64, 128, 3, 2);
  residual_block2 = residuals(128, 2);
  conv4 = conv(128, 256, 3, 2);
  residual_block3 = residuals(256, 8);
  conv5 = conv(256, 512, 3, 2);
  residual_block4 = residuals(512, 8);
  conv6 = conv(512, 1024, 3, 2);
  residual_block5 = residuals(1024, 4);

  constructor(in_channels: number) {
    super();
    this.conv1 = conv(in_channels, 32, 3);
  }

  forward(x: nn.Tensor): nn.Tensor {
    x = this.conv1.forward(x);
    x = this.residual_block1.forward(this.conv2.forward(x));
    x = this.residual_block2.forward(this.conv3.forward(x));
    x = this.residual_block3.forward(this.conv4.forward(x));
    x = this.residual_block4.forward(this.conv5.forward(x));
    return this.residual_block5.forward(this.conv6.forward(x));
  }
}

export class Darknet53 extends Darknet53Features {
  global_avg_pool = new nn.AdaptiveAvgPool2d(1);
  fc: nn.Linear;

  constructor({ num_classes = 18, in_channels = 3 }: ModelOptions = {}) {
    super(in_channels);
    this.fc = new nn.Linear(1024, num_classes);
  }

  override forward(x: nn.Tensor): nn.Tensor {
    return this.fc.forward(nn.flatten(this.global_avg_pool.forward(super.forward(x))));
  }
}

export const darknet53 = (options?: ModelOptions) => new Darknet53(options);
