/**
 * SqueezeNet: AlexNet-level accuracy with 50x fewer parameters (Iandola et al. 2016), https://arxiv.org/abs/1602.07360.
 * Layers, names and initial values are torchvision's; 1.1 is the authors' later version with 2.4 times less work.
 */
import * as nn from "../core/nn/mod.ts";
import type { ModelOptions } from "./options.ts";

/** A narrow 1×1 convolution, then 1×1 and 3×3 ones beside each other. */
class Fire extends nn.Module {
  squeeze: nn.Conv2d;
  squeeze_activation = new nn.ReLU();
  expand1x1: nn.Conv2d;
  expand1x1_activation = new nn.ReLU();
  expand3x3: nn.Conv2d;
  expand3x3_activation = new nn.ReLU();

  constructor(in_channels: number, squeeze: number, expand: number) {
    super();
    this.squeeze = new nn.Conv2d(in_channels, squeeze, 1);
    this.expand1x1 = new nn.Conv2d(squeeze, expand, 1);
    this.expand3x3 = new nn.Conv2d(squeeze, expand, 3, { padding: 1 });
  }

  forward(x: nn.Tensor): nn.Tensor {
    x = this.squeeze_activation.forward(this.squeeze.forward(x));
    return nn.concat([
      this.expand1x1_activation.forward(this.expand1x1.forward(x)),
      this.expand3x3_activation.forward(this.expand3x3.forward(x)),
    ], 1);
  }
}

const pool = () => new nn.MaxPool2d(3, { stride: 2, ceil_mode: true });

function features1_0(in_channels: number): nn.Sequential {
  return new nn.Sequential(
    new nn.Conv2d(in_channels, 96, 7, { stride: 2 }),
    new nn.ReLU(),
    pool(),
    new Fire(96, 16, 64),
    new Fire(128, 16, 64),
    new Fire(128, 32, 128),
    pool(),
    new Fire(256, 32, 128),
    new Fire(256, 48, 192),
    new Fire(384, 48, 192),
    new Fire(384, 64, 256),
    pool(),
    new Fire(512, 64, 256),
  );
}

function features1_1(in_channels: number): nn.Sequential {
  return new nn.Sequential(
    new nn.Conv2d(in_channels, 64, 3, { stride: 2 }),
    new nn.ReLU(),
    pool(),
    new Fire(64, 16, 64),
    new Fire(128, 16, 64),
    pool(),
    new Fire(128, 32, 128),
    new Fire(256, 32, 128),
    pool(),
    new Fire(256, 48, 192),
    new Fire(384, 48, 192),
    new Fire(384, 64, 256),
    new Fire(512, 64, 256),
  );
}

/** What the network sees: 512 channels. */
export class SqueezeNetFeatures extends nn.Module {
  features: nn.Sequential;

  constructor(features: nn.Sequential) {
    super();
    this.features = features;
    initialise(this);
  }

  forward(x: nn.Tensor): nn.Tensor {
    return this.features.forward(x);
  }
}

export class SqueezeNet extends SqueezeNetFeatures {
  classifier: nn.Sequential;

  constructor(features: nn.Sequential, num_classes: number) {
    super(features);
    const scores = new nn.Conv2d(512, num_classes, 1);
    this.classifier = new nn.Sequential(
      new nn.Dropout(),
      scores,
      new nn.ReLU(),
      new nn.AdaptiveAvgPool2d(1),
    );
    initialise(this);
    scores.weight.init = nn.normal(0, 0.01);
  }

  override forward(x: nn.Tensor): nn.Tensor {
    return nn.flatten(this.classifier.forward(super.forward(x)));
  }
}

function initialise(model: nn.Module): void {
  for (const module of nn.modules(model)) {
    if (!(module instanceof nn.Conv2d)) continue;
    module.weight.init = nn.kaimingUniformFanIn(module.weight.shape);
    module.bias!.init = nn.constant(0);
  }
}

export const squeezenet1_0 = ({ num_classes = 1000, in_channels = 3 }: ModelOptions = {}) =>
  new SqueezeNet(features1_0(in_channels), num_classes);
/** SqueezeNet 1.1 without its classifier. */
export const squeezenet1_1_features = (in_channels: number) =>
  new SqueezeNetFeatures(features1_1(in_channels));
export const squeezenet1_1 = ({ num_classes = 1000, in_channels = 3 }: ModelOptions = {}) =>
  new SqueezeNet(features1_1(in_channels), num_classes);
