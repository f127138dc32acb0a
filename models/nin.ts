/**
 * Network In Network (Lin, Chen, Yan 2013), https://arxiv.org/abs/1312.4400: the paper's network for CIFAR-10, whose head
 * is a 1×1 convolution to one map per class and the mean of each map. Widths and initial values (normal with deviation
 * 0.05, biases zero) are those of the authors' published configuration; the names are ours.
 */
import * as nn from "../core/nn/mod.ts";
import type { ModelOptions } from "./options.ts";

/** The paper's mlpconv: a convolution and two 1×1 convolutions, a small perceptron that slides over the image. */
function mlpconv(
  in_channels: number,
  widths: readonly [number, number, number],
  kernel_size: number,
): nn.Sequential {
  const [first, second, third] = widths;
  return new nn.Sequential({
    conv: conv(in_channels, first, kernel_size),
    relu1: new nn.ReLU(),
    cccp1: conv(first, second, 1),
    relu2: new nn.ReLU(),
    cccp2: conv(second, third, 1),
    relu3: new nn.ReLU(),
  });
}

export class NetworkInNetwork extends nn.Module {
  mlpconv1: nn.Sequential;
  pool1 = new nn.MaxPool2d(3, { stride: 2, ceil_mode: true });
  drop1 = new nn.Dropout();
  mlpconv2 = mlpconv(96, [192, 192, 192], 5);
  pool2 = new nn.AvgPool2d(3, { stride: 2, ceil_mode: true });
  drop2 = new nn.Dropout();
  mlpconv3: nn.Sequential;
  avgpool = new nn.AdaptiveAvgPool2d(1);

  constructor({ num_classes = 10, in_channels = 3 }: ModelOptions = {}) {
    super();
    this.mlpconv1 = mlpconv(in_channels, [192, 160, 96], 5);
    this.mlpconv3 = mlpconv(192, [192, 192, num_classes], 3);
  }

  forward(x: nn.Tensor): nn.Tensor {
    x = this.drop1.forward(this.pool1.forward(this.mlpconv1.forward(x)));
    x = this.drop2.forward(this.pool2.forward(this.mlpconv2.forward(x)));
    return nn.flatten(this.avgpool.forward(this.mlpconv3.forward(x)));
  }
}

function conv(in_channels: number, out_channels: number, kernel_size: number): nn.Conv2d {
  const layer = new nn.Conv2d(in_channels, out_channels, kernel_size, { padding: (kernel_size - 1) / 2 });
  layer.weight.init = nn.normal(0, 0.05);
  layer.bias!.init = nn.constant(0);
  return layer;
}

/** The head that the paper replaces, on `size`×`size` images of `channels` channels: flatten and one linear layer. */
export function fullyConnectedHead(channels: number, size: number, num_classes: number): nn.Sequential {
  return new nn.Sequential(
    new nn.Flatten(),
    new nn.Linear(channels * size * size, num_classes, { bias: false }),
  );
}

/** The paper's head: one map per class, and its mean. It has no parameter per pixel. */
export function convolutionHead(channels: number, num_classes: number): nn.Sequential {
  return new nn.Sequential(
    new nn.Conv2d(channels, num_classes, 1),
    new nn.AdaptiveAvgPool2d(1),
    new nn.Flatten(),
  );
}

export const nin = (options?: ModelOptions) => new NetworkInNetwork(options);
