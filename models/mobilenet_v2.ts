/**
 * MobileNetV2: Inverted Residuals and Linear Bottlenecks (Sandler et al. 2018), https://arxiv.org/abs/1801.04381.
 * Layers, names and initial values are torchvision's.
 */
import * as nn from "../core/nn/mod.ts";
import type { ModelOptions } from "./options.ts";

/** The paper's table 2: expansion t, output channels c, blocks n, stride s of the first. */
const STAGES = [
  [1, 16, 1, 1],
  [6, 24, 2, 2],
  [6, 32, 3, 2],
  [6, 64, 4, 2],
  [6, 96, 3, 1],
  [6, 160, 3, 2],
  [6, 320, 1, 1],
] as const;

/** Widens the image's channels, filters each alone, and narrows them again without an activation. */
class InvertedResidual extends nn.Module {
  conv: nn.Sequential;
  readonly #residual: boolean;

  constructor(in_channels: number, out_channels: number, stride: number, expansion: number) {
    super();
    const hidden = in_channels * expansion;
    this.#residual = stride === 1 && in_channels === out_channels;
    this.conv = new nn.Sequential(
      ...(expansion === 1 ? [] : [convBnRelu6(in_channels, hidden, 1)]),
      convBnRelu6(hidden, hidden, 3, { stride, groups: hidden }),
      new nn.Conv2d(hidden, out_channels, 1, { bias: false }),
      new nn.BatchNorm2d(out_channels),
    );
  }

  forward(x: nn.Tensor): nn.Tensor {
    const y = this.conv.forward(x);
    return this.#residual ? nn.add(x, y) : y;
  }
}

export class MobileNetV2 extends nn.Module {
  features: nn.Sequential;
  classifier: nn.Sequential;

  constructor({ num_classes = 1000, in_channels = 3 }: ModelOptions = {}) {
    super();
    let channels = 32;
    const blocks = STAGES.flatMap(([t, c, n, s]) =>
      Array.from({ length: n }, (_, i) => {
        const block = new InvertedResidual(channels, c, i === 0 ? s : 1, t);
        channels = c;
        return block;
      })
    );
    this.features = new nn.Sequential(
      convBnRelu6(in_channels, 32, 3, { stride: 2 }),
      ...blocks,
      convBnRelu6(channels, 1280, 1),
    );
    const fc = new nn.Linear(1280, num_classes);
    fc.weight.init = nn.normal(0, 0.01);
    fc.bias!.init = nn.constant(0);
    this.classifier = new nn.Sequential(new nn.Dropout(0.2), fc);
    for (const module of nn.modules(this)) {
      if (module instanceof nn.Conv2d) module.weight.init = nn.kaimingNormalFanOut(module.weight.shape);
    }
  }

  forward(x: nn.Tensor): nn.Tensor {
    x = nn.adaptiveAvgPool2d(this.features.forward(x), 1);
    return this.classifier.forward(nn.flatten(x));
  }
}

function convBnRelu6(
  in_channels: number,
  out_channels: number,
  kernel_size: number,
  options: nn.Conv2dOptions = {},
): nn.Sequential {
  const padding = (kernel_size - 1) / 2;
  return new nn.Sequential(
    new nn.Conv2d(in_channels, out_channels, kernel_size, { padding, ...options, bias: false }),
    new nn.BatchNorm2d(out_channels),
    new nn.ReLU6(),
  );
}

export const mobilenet_v2 = (options?: ModelOptions) => new MobileNetV2(options);
