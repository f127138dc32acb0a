/**
 * Deep Residual Learning for Image Recognition (He, Zhang, Ren, Sun 2015), https://arxiv.org/abs/1512.03385.
 * ResNeXt is from "Aggregated Residual Transformations for Deep Neural Networks" (Xie et al. 2016),
 * https://arxiv.org/abs/1611.05431; the wide one from "Wide Residual Networks" (Zagoruyko & Komodakis 2016),
 * https://arxiv.org/abs/1605.07146. Layers, names and initial values are torchvision's.
 */
import * as nn from "../core/nn/mod.ts";
import type { ModelOptions } from "./options.ts";

const { add, flatten } = nn;

export interface ResNetOptions extends ModelOptions {
  /** For small images: the first convolution is 3×3 with stride 1, and no pool follows. */
  readonly cifar_stem?: boolean;
}

/** How the 3×3 convolution of a bottleneck is cut into groups, and the width of a group in the first stage. */
interface Cardinality {
  readonly groups: number;
  readonly width_per_group: number;
}

/** Two 3×3 convolutions beside a shortcut. */
class BasicBlock extends nn.Module {
  static readonly expansion = 1;
  conv1: nn.Conv2d;
  bn1: nn.BatchNorm2d;
  relu = new nn.ReLU();
  conv2: nn.Conv2d;
  bn2: nn.BatchNorm2d;
  downsample: nn.Sequential | undefined;

  constructor(inplanes: number, planes: number, stride: number) {
    super();
    this.conv1 = conv3x3(inplanes, planes, stride);
    this.bn1 = new nn.BatchNorm2d(planes);
    this.conv2 = conv3x3(planes, planes);
    this.bn2 = new nn.BatchNorm2d(planes);
    this.downsample = shortcut(inplanes, planes * BasicBlock.expansion, stride);
  }

  forward(x: nn.Tensor): nn.Tensor {
    let y = this.relu.forward(this.bn1.forward(this.conv1.forward(x)));
    y = this.bn2.forward(this.conv2.forward(y));
    return this.relu.forward(add(y, this.downsample ? this.downsample.forward(x) : x));
  }
}

/** 1×1, 3×3, 1×1; the stride is the 3×3's, as in torchvision (ResNet "v1.5"). */
class Bottleneck extends nn.Module {
  static readonly expansion = 4;
  conv1: nn.Conv2d;
  bn1: nn.BatchNorm2d;
  conv2: nn.Conv2d;
  bn2: nn.BatchNorm2d;
  conv3: nn.Conv2d;
  bn3: nn.BatchNorm2d;
  relu = new nn.ReLU();
  downsample: nn.Sequential | undefined;

  constructor(inplanes: number, planes: number, stride: number, cardinality: Cardinality) {
    super();
    const { groups, width_per_group } = cardinality;
    const width = planes * width_per_group / 64 * groups;
    const out = planes * Bottleneck.expansion;
    this.conv1 = new nn.Conv2d(inplanes, width, 1, { bias: false });
    this.bn1 = new nn.BatchNorm2d(width);
    this.conv2 = conv3x3(width, width, stride, groups);
    this.bn2 = new nn.BatchNorm2d(width);
    this.conv3 = new nn.Conv2d(width, out, 1, { bias: false });
    this.bn3 = new nn.BatchNorm2d(out);
    this.downsample = shortcut(inplanes, out, stride);
  }

  forward(x: nn.Tensor): nn.Tensor {
    let y = this.relu.forward(this.bn1.forward(this.conv1.forward(x)));
    y = this.relu.forward(this.bn2.forward(this.conv2.forward(y)));
    y = this.bn3.forward(this.conv3.forward(y));
    return this.relu.forward(add(y, this.downsample ? this.downsample.forward(x) : x));
  }
}

interface Block {
  /** Output channels for each plane. */
  readonly expansion: number;
  new (inplanes: number, planes: number, stride: number, cardinality: Cardinality): nn.Layer;
}

export class ResNet extends nn.Module {
  conv1: nn.Conv2d;
  bn1 = new nn.BatchNorm2d(64);
  relu = new nn.ReLU();
  maxpool: nn.MaxPool2d | undefined;
  layer1: nn.Sequential;
  layer2: nn.Sequential;
  layer3: nn.Sequential;
  layer4: nn.Sequential;
  avgpool = new nn.AdaptiveAvgPool2d(1);
  fc: nn.Linear;

  constructor(
    block: Block,
    blocks: readonly [number, number, number, number],
    options: ResNetOptions = {},
    cardinality: Cardinality = { groups: 1, width_per_group: 64 },
  ) {
    super();
    const { num_classes = 1000, in_channels = 3, cifar_stem = false } = options;
    this.conv1 = cifar_stem
      ? conv3x3(in_channels, 64)
      : new nn.Conv2d(in_channels, 64, 7, { stride: 2, padding: 3, bias: false });
    this.maxpool = cifar_stem ? undefined : new nn.MaxPool2d(3, { stride: 2, padding: 1 });
    let inplanes = 64;
    // The first block of a stage takes the stride.
    const stage = (planes: number, length: number, stride: number) =>
      new nn.Sequential(...Array.from({ length }, (_, i) => {
        const made = new block(inplanes, planes, i === 0 ? stride : 1, cardinality);
        inplanes = planes * block.expansion;
        return made;
      }));
    this.layer1 = stage(64, blocks[0], 1);
    this.layer2 = stage(128, blocks[1], 2);
    this.layer3 = stage(256, blocks[2], 2);
    this.layer4 = stage(512, blocks[3], 2);
    this.fc = new nn.Linear(512 * block.expansion, num_classes);
    for (const module of nn.modules(this)) {
      if (module instanceof nn.Conv2d) module.weight.init = nn.kaimingNormalFanOut(module.weight.shape);
    }
  }

  forward(x: nn.Tensor): nn.Tensor {
    x = this.relu.forward(this.bn1.forward(this.conv1.forward(x)));
    if (this.maxpool) x = this.maxpool.forward(x);
    for (const layer of [this.layer1, this.layer2, this.layer3, this.layer4]) x = layer.forward(x);
    return this.fc.forward(flatten(this.avgpool.forward(x)));
  }
}

function conv3x3(inplanes: number, planes: number, stride = 1, groups = 1): nn.Conv2d {
  return new nn.Conv2d(inplanes, planes, 3, { stride, padding: 1, groups, bias: false });
}

/** A projection where the block changes the image's size or channels. */
function shortcut(inplanes: number, out: number, stride: number): nn.Sequential | undefined {
  if (stride === 1 && inplanes === out) return undefined;
  return new nn.Sequential(new nn.Conv2d(inplanes, out, 1, { stride, bias: false }), new nn.BatchNorm2d(out));
}

export const resnet18 = (options?: ResNetOptions) => new ResNet(BasicBlock, [2, 2, 2, 2], options);
export const resnet34 = (options?: ResNetOptions) => new ResNet(BasicBlock, [3, 4, 6, 3], options);
export const resnet50 = (options?: ResNetOptions) => new ResNet(Bottleneck, [3, 4, 6, 3], options);
export const resnet101 = (options?: ResNetOptions) => new ResNet(Bottleneck, [3, 4, 23, 3], options);
export const resnet152 = (options?: ResNetOptions) => new ResNet(Bottleneck, [3, 8, 36, 3], options);
export const resnext50_32x4d = (options?: ResNetOptions) =>
  new ResNet(Bottleneck, [3, 4, 6, 3], options, { groups: 32, width_per_group: 4 });
export const wide_resnet50_2 = (options?: ResNetOptions) =>
  new ResNet(Bottleneck, [3, 4, 6, 3], options, { groups: 1, width_per_group: 128 });
