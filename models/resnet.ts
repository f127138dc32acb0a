/**
 * Deep Residual Learning for Image Recognition (He, Zhang, Ren, Sun 2015), https://arxiv.org/abs/1512.03385.
 * Layers, names and initial values are torchvision's.
 */
import * as nn from "../core/nn/mod.ts";

const { add, flatten } = nn;

export interface ResNetOptions {
  readonly num_classes?: number;
  readonly in_channels?: number;
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

  constructor(inplanes: number, planes: number, stride: number) {
    super();
    const out = planes * Bottleneck.expansion;
    this.conv1 = new nn.Conv2d(inplanes, planes, 1, { bias: false });
    this.bn1 = new nn.BatchNorm2d(planes);
    this.conv2 = conv3x3(planes, planes, stride);
    this.bn2 = new nn.BatchNorm2d(planes);
    this.conv3 = new nn.Conv2d(planes, out, 1, { bias: false });
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

type Block = typeof BasicBlock | typeof Bottleneck;

export class ResNet extends nn.Module {
  conv1: nn.Conv2d;
  bn1 = new nn.BatchNorm2d(64);
  relu = new nn.ReLU();
  maxpool = new nn.MaxPool2d(3, { stride: 2, padding: 1 });
  layer1: nn.Sequential;
  layer2: nn.Sequential;
  layer3: nn.Sequential;
  layer4: nn.Sequential;
  avgpool = new nn.AdaptiveAvgPool2d(1);
  fc: nn.Linear;

  constructor(block: Block, layers: readonly [number, number, number, number], options: ResNetOptions = {}) {
    super();
    const { num_classes = 1000, in_channels = 3 } = options;
    this.conv1 = new nn.Conv2d(in_channels, 64, 7, { stride: 2, padding: 3, bias: false });
    this.layer1 = stage(block, 64, 64, layers[0], 1);
    this.layer2 = stage(block, 64 * block.expansion, 128, layers[1], 2);
    this.layer3 = stage(block, 128 * block.expansion, 256, layers[2], 2);
    this.layer4 = stage(block, 256 * block.expansion, 512, layers[3], 2);
    this.fc = new nn.Linear(512 * block.expansion, num_classes);
    for (const module of nn.namedModules(this).keys()) {
      if (module instanceof nn.Conv2d) module.weight.init = nn.kaimingNormalFanOut(module.weight.shape);
    }
  }

  forward(x: nn.Tensor): nn.Tensor {
    x = this.maxpool.forward(this.relu.forward(this.bn1.forward(this.conv1.forward(x))));
    for (const layer of [this.layer1, this.layer2, this.layer3, this.layer4]) x = layer.forward(x);
    return this.fc.forward(flatten(this.avgpool.forward(x)));
  }
}

function conv3x3(inplanes: number, planes: number, stride = 1): nn.Conv2d {
  return new nn.Conv2d(inplanes, planes, 3, { stride, padding: 1, bias: false });
}

/** A projection where the block changes the image's size or channels. */
function shortcut(inplanes: number, out: number, stride: number): nn.Sequential | undefined {
  if (stride === 1 && inplanes === out) return undefined;
  return new nn.Sequential(new nn.Conv2d(inplanes, out, 1, { stride, bias: false }), new nn.BatchNorm2d(out));
}

/** The first block takes the stride. */
function stage(
  block: Block,
  inplanes: number,
  planes: number,
  blocks: number,
  stride: number,
): nn.Sequential {
  return new nn.Sequential(...Array.from(
    { length: blocks },
    (_, i) => i === 0 ? new block(inplanes, planes, stride) : new block(planes * block.expansion, planes, 1),
  ));
}

export const resnet18 = (options?: ResNetOptions) => new ResNet(BasicBlock, [2, 2, 2, 2], options);
export const resnet34 = (options?: ResNetOptions) => new ResNet(BasicBlock, [3, 4, 6, 3], options);
export const resnet50 = (options?: ResNetOptions) => new ResNet(Bottleneck, [3, 4, 6, 3], options);
export const resnet101 = (options?: ResNetOptions) => new ResNet(Bottleneck, [3, 4, 23, 3], options);
export const resnet152 = (options?: ResNetOptions) => new ResNet(Bottleneck, [3, 8, 36, 3], options);
