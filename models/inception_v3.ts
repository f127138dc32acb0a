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

type Branches = Readonly<Record<string, BasicConv2d>>;

/** A module of parallel branches whose results are joined along the channels. */
class Mixed<Layers extends Branches> extends nn.Module {
  readonly #layers: Layers;
  readonly #branches: (x: nn.Tensor, layers: Layers) => nn.Tensor[];

  constructor(layers: Layers, branches: (x: nn.Tensor, layers: Layers) => nn.Tensor[]) {
    super();
    Object.assign(this, layers);
    this.#layers = layers;
    this.#branches = branches;
  }

  forward(x: nn.Tensor): nn.Tensor {
    return concat(this.#branches(x, this.#layers), 1);
  }
}

/** Convolutions one after another. */
function chain(x: nn.Tensor, ...layers: BasicConv2d[]): nn.Tensor {
  return layers.reduce((value, layer) => layer.forward(value), x);
}

/** A convolution that keeps the image's size. */
function conv(in_channels: number, out_channels: number, ...kernel: readonly [number, number]): BasicConv2d {
  const padding = [(kernel[0] - 1) / 2, (kernel[1] - 1) / 2] as const;
  return new BasicConv2d(in_channels, out_channels, kernel, { padding });
}

/** A 3×3 convolution that halves it. */
function halving(in_channels: number, out_channels: number): BasicConv2d {
  return new BasicConv2d(in_channels, out_channels, 3, { stride: 2 });
}

function average(x: nn.Tensor): nn.Tensor {
  return avgPool2d(x, 3, { stride: 1, padding: 1 });
}

/** Figure 5: 5×5 convolutions, one of them as two 3×3. */
function inceptionA(in_channels: number, pool_features: number) {
  return new Mixed({
    branch1x1: conv(in_channels, 64, 1, 1),
    branch5x5_1: conv(in_channels, 48, 1, 1),
    branch5x5_2: conv(48, 64, 5, 5),
    branch3x3dbl_1: conv(in_channels, 64, 1, 1),
    branch3x3dbl_2: conv(64, 96, 3, 3),
    branch3x3dbl_3: conv(96, 96, 3, 3),
    branch_pool: conv(in_channels, pool_features, 1, 1),
  }, (x, its) => [
    chain(x, its.branch1x1),
    chain(x, its.branch5x5_1, its.branch5x5_2),
    chain(x, its.branch3x3dbl_1, its.branch3x3dbl_2, its.branch3x3dbl_3),
    chain(average(x), its.branch_pool),
  ]);
}

/** Figure 10: halves the image, 35×35 to 17×17. */
function inceptionB(in_channels: number) {
  return new Mixed({
    branch3x3: halving(in_channels, 384),
    branch3x3dbl_1: conv(in_channels, 64, 1, 1),
    branch3x3dbl_2: conv(64, 96, 3, 3),
    branch3x3dbl_3: halving(96, 96),
  }, (x, its) => [
    chain(x, its.branch3x3),
    chain(x, its.branch3x3dbl_1, its.branch3x3dbl_2, its.branch3x3dbl_3),
    maxPool2d(x, 3, { stride: 2 }),
  ]);
}

/** Figure 6: 7×7 convolutions as 1×7 and 7×1. */
function inceptionC(in_channels: number, width: number) {
  return new Mixed({
    branch1x1: conv(in_channels, 192, 1, 1),
    branch7x7_1: conv(in_channels, width, 1, 1),
    branch7x7_2: conv(width, width, 1, 7),
    branch7x7_3: conv(width, 192, 7, 1),
    branch7x7dbl_1: conv(in_channels, width, 1, 1),
    branch7x7dbl_2: conv(width, width, 7, 1),
    branch7x7dbl_3: conv(width, width, 1, 7),
    branch7x7dbl_4: conv(width, width, 7, 1),
    branch7x7dbl_5: conv(width, 192, 1, 7),
    branch_pool: conv(in_channels, 192, 1, 1),
  }, (x, its) => [
    chain(x, its.branch1x1),
    chain(x, its.branch7x7_1, its.branch7x7_2, its.branch7x7_3),
    chain(
      x,
      its.branch7x7dbl_1,
      its.branch7x7dbl_2,
      its.branch7x7dbl_3,
      its.branch7x7dbl_4,
      its.branch7x7dbl_5,
    ),
    chain(average(x), its.branch_pool),
  ]);
}

/** Halves the image, 17×17 to 8×8. */
function inceptionD(in_channels: number) {
  return new Mixed({
    branch3x3_1: conv(in_channels, 192, 1, 1),
    branch3x3_2: halving(192, 320),
    branch7x7x3_1: conv(in_channels, 192, 1, 1),
    branch7x7x3_2: conv(192, 192, 1, 7),
    branch7x7x3_3: conv(192, 192, 7, 1),
    branch7x7x3_4: halving(192, 192),
  }, (x, its) => [
    chain(x, its.branch3x3_1, its.branch3x3_2),
    chain(x, its.branch7x7x3_1, its.branch7x7x3_2, its.branch7x7x3_3, its.branch7x7x3_4),
    maxPool2d(x, 3, { stride: 2 }),
  ]);
}

/** Figure 7: 1×3 and 3×1 beside each other. */
function inceptionE(in_channels: number) {
  return new Mixed({
    branch1x1: conv(in_channels, 320, 1, 1),
    branch3x3_1: conv(in_channels, 384, 1, 1),
    branch3x3_2a: conv(384, 384, 1, 3),
    branch3x3_2b: conv(384, 384, 3, 1),
    branch3x3dbl_1: conv(in_channels, 448, 1, 1),
    branch3x3dbl_2: conv(448, 384, 3, 3),
    branch3x3dbl_3a: conv(384, 384, 1, 3),
    branch3x3dbl_3b: conv(384, 384, 3, 1),
    branch_pool: conv(in_channels, 192, 1, 1),
  }, (x, its) => {
    const narrow = chain(x, its.branch1x1);
    const single = chain(x, its.branch3x3_1);
    const singles = [its.branch3x3_2a, its.branch3x3_2b].map((layer) => layer.forward(single));
    const double = chain(x, its.branch3x3dbl_1, its.branch3x3dbl_2);
    const doubles = [its.branch3x3dbl_3a, its.branch3x3dbl_3b].map((layer) => layer.forward(double));
    return [narrow, ...singles, ...doubles, chain(average(x), its.branch_pool)];
  });
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
  Mixed_5b = inceptionA(192, 32);
  Mixed_5c = inceptionA(256, 64);
  Mixed_5d = inceptionA(288, 64);
  Mixed_6a = inceptionB(288);
  Mixed_6b = inceptionC(768, 128);
  Mixed_6c = inceptionC(768, 160);
  Mixed_6d = inceptionC(768, 160);
  Mixed_6e = inceptionC(768, 192);
  AuxLogits: InceptionAux;
  Mixed_7a = inceptionD(768);
  Mixed_7b = inceptionE(1280);
  Mixed_7c = inceptionE(2048);
  avgpool = new nn.AdaptiveAvgPool2d(1);
  dropout = new nn.Dropout();
  fc: nn.Linear;

  constructor({ num_classes = 1000, in_channels = 3 }: ModelOptions = {}) {
    super();
    this.Conv2d_1a_3x3 = new BasicConv2d(in_channels, 32, 3, { stride: 2 });
    this.AuxLogits = new InceptionAux(num_classes);
    this.fc = new nn.Linear(2048, num_classes);
    for (const module of nn.namedModules(this).keys()) {
      if (module instanceof nn.Conv2d || module instanceof nn.Linear) {
        // torchvision cuts it off at ±2, which is 20 deviations away.
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
    const after6e = x;
    x = this.Mixed_7c.forward(this.Mixed_7b.forward(this.Mixed_7a.forward(x)));
    const scores = this.fc.forward(nn.flatten(this.dropout.forward(this.avgpool.forward(x))));
    if (!x.tracer.training) return scores;
    return { scores, auxiliary: [{ scores: this.AuxLogits.forward(after6e), weight: AUXILIARY_WEIGHT }] };
  }
}

export const inception_v3 = (options?: ModelOptions) => new InceptionV3(options);
