/**
 * Rethinking the Inception Architecture for Computer Vision (Szegedy et al. 2015), https://arxiv.org/abs/1512.00567.
 * Layers, names and initial values are torchvision's.
 */
import * as nn from "../core/nn/mod.ts";
import { BasicConv2d } from "./googlenet.ts";
import type { ModelOptions } from "./options.ts";

const { avgPool2d, concat, maxPool2d } = nn;

/** The auxiliary classifier's share in the loss, as torchvision trains it. */
const AUXILIARY_WEIGHT = 0.4;

/** Convolutions one after another. */
function chain(x: nn.Tensor, ...layers: BasicConv2d[]): nn.Tensor {
  return layers.reduce((value, layer) => layer.forward(value), x);
}

/** A convolution that keeps the image's size. */
function conv(in_channels: number, out_channels: number, ...kernel: readonly [number, number]): BasicConv2d {
  const padding = [(kernel[0] - 1) / 2, (kernel[1] - 1) / 2] as const;
  return new BasicConv2d(in_channels, out_channels, kernel, { padding });
}

/** A 3×3 convolution that halves the image. */
function halving(in_channels: number, out_channels: number): BasicConv2d {
  return new BasicConv2d(in_channels, out_channels, 3, { stride: 2 });
}

/** The mean of each 3×3 window, of the same size as the image. */
function average(x: nn.Tensor): nn.Tensor {
  return avgPool2d(x, 3, { stride: 1, padding: 1 });
}

/** Figure 5: 5×5 convolutions, one of them as two 3×3. */
class InceptionA extends nn.Module {
  branch1x1: BasicConv2d;
  branch5x5_1: BasicConv2d;
  branch5x5_2: BasicConv2d;
  branch3x3dbl_1: BasicConv2d;
  branch3x3dbl_2: BasicConv2d;
  branch3x3dbl_3: BasicConv2d;
  branch_pool: BasicConv2d;

  constructor(in_channels: number, pool_features: number) {
    super();
    this.branch1x1 = conv(in_channels, 64, 1, 1);
    this.branch5x5_1 = conv(in_channels, 48, 1, 1);
    this.branch5x5_2 = conv(48, 64, 5, 5);
    this.branch3x3dbl_1 = conv(in_channels, 64, 1, 1);
    this.branch3x3dbl_2 = conv(64, 96, 3, 3);
    this.branch3x3dbl_3 = conv(96, 96, 3, 3);
    this.branch_pool = conv(in_channels, pool_features, 1, 1);
  }

  forward(x: nn.Tensor): nn.Tensor {
    return concat([
      chain(x, this.branch1x1),
      chain(x, this.branch5x5_1, this.branch5x5_2),
      chain(x, this.branch3x3dbl_1, this.branch3x3dbl_2, this.branch3x3dbl_3),
      chain(average(x), this.branch_pool),
    ], 1);
  }
}

/** Figure 10: halves the image, 35×35 to 17×17. */
class InceptionB extends nn.Module {
  branch3x3: BasicConv2d;
  branch3x3dbl_1: BasicConv2d;
  branch3x3dbl_2: BasicConv2d;
  branch3x3dbl_3: BasicConv2d;

  constructor(in_channels: number) {
    super();
    this.branch3x3 = halving(in_channels, 384);
    this.branch3x3dbl_1 = conv(in_channels, 64, 1, 1);
    this.branch3x3dbl_2 = conv(64, 96, 3, 3);
    this.branch3x3dbl_3 = halving(96, 96);
  }

  forward(x: nn.Tensor): nn.Tensor {
    return concat([
      chain(x, this.branch3x3),
      chain(x, this.branch3x3dbl_1, this.branch3x3dbl_2, this.branch3x3dbl_3),
      maxPool2d(x, 3, { stride: 2 }),
    ], 1);
  }
}

/** Figure 6: 7×7 convolutions as 1×7 and 7×1. */
class InceptionC extends nn.Module {
  branch1x1: BasicConv2d;
  branch7x7_1: BasicConv2d;
  branch7x7_2: BasicConv2d;
  branch7x7_3: BasicConv2d;
  branch7x7dbl_1: BasicConv2d;
  branch7x7dbl_2: BasicConv2d;
  branch7x7dbl_3: BasicConv2d;
  branch7x7dbl_4: BasicConv2d;
  branch7x7dbl_5: BasicConv2d;
  branch_pool: BasicConv2d;

  constructor(in_channels: number, width: number) {
    super();
    this.branch1x1 = conv(in_channels, 192, 1, 1);
    this.branch7x7_1 = conv(in_channels, width, 1, 1);
    this.branch7x7_2 = conv(width, width, 1, 7);
    this.branch7x7_3 = conv(width, 192, 7, 1);
    this.branch7x7dbl_1 = conv(in_channels, width, 1, 1);
    this.branch7x7dbl_2 = conv(width, width, 7, 1);
    this.branch7x7dbl_3 = conv(width, width, 1, 7);
    this.branch7x7dbl_4 = conv(width, width, 7, 1);
    this.branch7x7dbl_5 = conv(width, 192, 1, 7);
    this.branch_pool = conv(in_channels, 192, 1, 1);
  }

  forward(x: nn.Tensor): nn.Tensor {
    return concat([
      chain(x, this.branch1x1),
      chain(x, this.branch7x7_1, this.branch7x7_2, this.branch7x7_3),
      chain(
        x,
        this.branch7x7dbl_1,
        this.branch7x7dbl_2,
        this.branch7x7dbl_3,
        this.branch7x7dbl_4,
        this.branch7x7dbl_5,
      ),
      chain(average(x), this.branch_pool),
    ], 1);
  }
}

/** Halves the image, 17×17 to 8×8. */
class InceptionD extends nn.Module {
  branch3x3_1: BasicConv2d;
  branch3x3_2: BasicConv2d;
  branch7x7x3_1: BasicConv2d;
  branch7x7x3_2: BasicConv2d;
  branch7x7x3_3: BasicConv2d;
  branch7x7x3_4: BasicConv2d;

  constructor(in_channels: number) {
    super();
    this.branch3x3_1 = conv(in_channels, 192, 1, 1);
    this.branch3x3_2 = halving(192, 320);
    this.branch7x7x3_1 = conv(in_channels, 192, 1, 1);
    this.branch7x7x3_2 = conv(192, 192, 1, 7);
    this.branch7x7x3_3 = conv(192, 192, 7, 1);
    this.branch7x7x3_4 = halving(192, 192);
  }

  forward(x: nn.Tensor): nn.Tensor {
    return concat([
      chain(x, this.branch3x3_1, this.branch3x3_2),
      chain(x, this.branch7x7x3_1, this.branch7x7x3_2, this.branch7x7x3_3, this.branch7x7x3_4),
      maxPool2d(x, 3, { stride: 2 }),
    ], 1);
  }
}

/** Figure 7: 1×3 and 3×1 beside each other. */
class InceptionE extends nn.Module {
  branch1x1: BasicConv2d;
  branch3x3_1: BasicConv2d;
  branch3x3_2a: BasicConv2d;
  branch3x3_2b: BasicConv2d;
  branch3x3dbl_1: BasicConv2d;
  branch3x3dbl_2: BasicConv2d;
  branch3x3dbl_3a: BasicConv2d;
  branch3x3dbl_3b: BasicConv2d;
  branch_pool: BasicConv2d;

  constructor(in_channels: number) {
    super();
    this.branch1x1 = conv(in_channels, 320, 1, 1);
    this.branch3x3_1 = conv(in_channels, 384, 1, 1);
    this.branch3x3_2a = conv(384, 384, 1, 3);
    this.branch3x3_2b = conv(384, 384, 3, 1);
    this.branch3x3dbl_1 = conv(in_channels, 448, 1, 1);
    this.branch3x3dbl_2 = conv(448, 384, 3, 3);
    this.branch3x3dbl_3a = conv(384, 384, 1, 3);
    this.branch3x3dbl_3b = conv(384, 384, 3, 1);
    this.branch_pool = conv(in_channels, 192, 1, 1);
  }

  forward(x: nn.Tensor): nn.Tensor {
    const narrow = chain(x, this.branch1x1);
    const single = chain(x, this.branch3x3_1);
    const singles = [this.branch3x3_2a, this.branch3x3_2b].map((layer) => layer.forward(single));
    const double = chain(x, this.branch3x3dbl_1, this.branch3x3dbl_2);
    const doubles = [this.branch3x3dbl_3a, this.branch3x3dbl_3b].map((layer) => layer.forward(double));
    return concat([narrow, ...singles, ...doubles, chain(average(x), this.branch_pool)], 1);
  }
}

/** Figure 8: a classifier beside the last of the 17×17 modules. */
class InceptionAux extends nn.Module {
  conv0 = new BasicConv2d(768, 128, 1);
  conv1 = new BasicConv2d(128, 768, 5);
  fc: nn.Linear;

  constructor(num_classes: number) {
    super();
    this.fc = new nn.Linear(768, num_classes);
  }

  forward(x: nn.Tensor): nn.Tensor {
    x = chain(avgPool2d(x, 5, { stride: 3 }), this.conv0, this.conv1);
    return this.fc.forward(nn.flatten(nn.adaptiveAvgPool2d(x, 1)));
  }
}

export class InceptionV3 extends nn.Module {
  Conv2d_1a_3x3: BasicConv2d;
  Conv2d_2a_3x3 = new BasicConv2d(32, 32, 3);
  Conv2d_2b_3x3 = new BasicConv2d(32, 64, 3, { padding: 1 });
  maxpool1 = new nn.MaxPool2d(3, { stride: 2 });
  Conv2d_3b_1x1 = new BasicConv2d(64, 80, 1);
  Conv2d_4a_3x3 = new BasicConv2d(80, 192, 3);
  maxpool2 = new nn.MaxPool2d(3, { stride: 2 });
  Mixed_5b = new InceptionA(192, 32);
  Mixed_5c = new InceptionA(256, 64);
  Mixed_5d = new InceptionA(288, 64);
  Mixed_6a = new InceptionB(288);
  Mixed_6b = new InceptionC(768, 128);
  Mixed_6c = new InceptionC(768, 160);
  Mixed_6d = new InceptionC(768, 160);
  Mixed_6e = new InceptionC(768, 192);
  AuxLogits: InceptionAux;
  Mixed_7a = new InceptionD(768);
  Mixed_7b = new InceptionE(1280);
  Mixed_7c = new InceptionE(2048);
  avgpool = new nn.AdaptiveAvgPool2d(1);
  dropout = new nn.Dropout();
  fc: nn.Linear;

  constructor({ num_classes = 1000, in_channels = 3 }: ModelOptions = {}) {
    super();
    this.Conv2d_1a_3x3 = new BasicConv2d(in_channels, 32, 3, { stride: 2 });
    this.AuxLogits = new InceptionAux(num_classes);
    this.fc = new nn.Linear(2048, num_classes);
    for (const module of nn.modules(this)) {
      if (module instanceof nn.Conv2d || module instanceof nn.Linear) {
        // torchvision truncates at ±2: 20 deviations away, where no number ever is.
        module.weight.init = nn.normal(0, module === this.AuxLogits.fc ? 0.001 : 0.1);
      }
    }
  }

  forward(x: nn.Tensor): nn.ModelOutput {
    x = chain(x, this.Conv2d_1a_3x3, this.Conv2d_2a_3x3, this.Conv2d_2b_3x3);
    x = chain(this.maxpool1.forward(x), this.Conv2d_3b_1x1, this.Conv2d_4a_3x3);
    x = this.maxpool2.forward(x);
    for (const mixed of [this.Mixed_5b, this.Mixed_5c, this.Mixed_5d]) x = mixed.forward(x);
    x = this.Mixed_6a.forward(x);
    for (const mixed of [this.Mixed_6b, this.Mixed_6c, this.Mixed_6d, this.Mixed_6e]) x = mixed.forward(x);
    const auxiliary = x.tracer.training ? this.AuxLogits.forward(x) : undefined;
    x = this.Mixed_7c.forward(this.Mixed_7b.forward(this.Mixed_7a.forward(x)));
    const scores = this.fc.forward(nn.flatten(this.dropout.forward(this.avgpool.forward(x))));
    return auxiliary ? { scores, auxiliary: [{ scores: auxiliary, weight: AUXILIARY_WEIGHT }] } : scores;
  }
}

export const inception_v3 = (options?: ModelOptions) => new InceptionV3(options);
