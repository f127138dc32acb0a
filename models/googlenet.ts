/**
 * Going Deeper with Convolutions (Szegedy et al. 2014), https://arxiv.org/abs/1409.4842. Layers, names and initial values
 * are torchvision's: with batch norm, and with a 3×3 convolution where the paper has a 5×5. The option `paper` brings
 * back the 5×5, the local response norms of the stem and the paper's dropout; names stay the same.
 */
import * as nn from "../core/nn/mod.ts";
import type { ModelOptions } from "./options.ts";

export interface GoogLeNetOptions extends ModelOptions {
  /** 5×5 convolutions, local response norms in the stem and more dropout, as in the paper. */
  readonly paper?: boolean;
}

/** Share of each auxiliary classifier's loss in the whole. */
const AUXILIARY_WEIGHT = 0.3;

/** A convolution without bias, batch norm, ReLU. */
export class BasicConv2d extends nn.Module {
  conv: nn.Conv2d;
  bn: nn.BatchNorm2d;

  constructor(
    in_channels: number,
    out_channels: number,
    kernel_size: nn.Pair,
    options: nn.Conv2dOptions = {},
  ) {
    super();
    this.conv = new nn.Conv2d(in_channels, out_channels, kernel_size, { ...options, bias: false });
    this.bn = new nn.BatchNorm2d(out_channels, { eps: 1e-3 });
  }

  forward(x: nn.Tensor): nn.Tensor {
    return nn.relu(this.bn.forward(this.conv.forward(x)));
  }
}

/** A row of the paper's table 1: #1×1, #3×3 reduce, #3×3, #5×5 reduce, #5×5, pool proj. */
type Widths = readonly [number, number, number, number, number, number];

class Inception extends nn.Module {
  branch1: BasicConv2d;
  branch2: nn.Sequential;
  branch3: nn.Sequential;
  branch4: nn.Sequential;

  constructor(in_channels: number, widths: Widths, kernel_size: 3 | 5) {
    super();
    const [ch1x1, ch3x3red, ch3x3, ch5x5red, ch5x5, pool_proj] = widths;
    this.branch1 = new BasicConv2d(in_channels, ch1x1, 1);
    this.branch2 = new nn.Sequential(
      new BasicConv2d(in_channels, ch3x3red, 1),
      new BasicConv2d(ch3x3red, ch3x3, 3, { padding: 1 }),
    );
    this.branch3 = new nn.Sequential(
      new BasicConv2d(in_channels, ch5x5red, 1),
      new BasicConv2d(ch5x5red, ch5x5, kernel_size, { padding: (kernel_size - 1) / 2 }),
    );
    this.branch4 = new nn.Sequential(
      new nn.MaxPool2d(3, { stride: 1, padding: 1, ceil_mode: true }),
      new BasicConv2d(in_channels, pool_proj, 1),
    );
  }

  forward(x: nn.Tensor): nn.Tensor {
    const branches = [this.branch1, this.branch2, this.branch3, this.branch4];
    return nn.concat(branches.map((branch) => branch.forward(x)), 1);
  }
}

/** A classifier in the middle of the network, which brings the gradient to the layers before it. Only training has it. */
class InceptionAux extends nn.Module {
  conv: BasicConv2d;
  fc1 = new nn.Linear(2048, 1024);
  fc2: nn.Linear;
  dropout = new nn.Dropout(0.7);

  constructor(in_channels: number, num_classes: number) {
    super();
    this.conv = new BasicConv2d(in_channels, 128, 1);
    this.fc2 = new nn.Linear(1024, num_classes);
  }

  forward(x: nn.Tensor): nn.Tensor {
    x = nn.flatten(this.conv.forward(nn.adaptiveAvgPool2d(x, 4)));
    return this.fc2.forward(this.dropout.forward(nn.relu(this.fc1.forward(x))));
  }
}

export class GoogLeNet extends nn.Module {
  conv1: BasicConv2d;
  maxpool1 = new nn.MaxPool2d(3, { stride: 2, ceil_mode: true });
  conv2 = new BasicConv2d(64, 64, 1);
  conv3 = new BasicConv2d(64, 192, 3, { padding: 1 });
  maxpool2 = new nn.MaxPool2d(3, { stride: 2, ceil_mode: true });
  inception3a: Inception;
  inception3b: Inception;
  maxpool3 = new nn.MaxPool2d(3, { stride: 2, ceil_mode: true });
  inception4a: Inception;
  inception4b: Inception;
  inception4c: Inception;
  inception4d: Inception;
  inception4e: Inception;
  maxpool4 = new nn.MaxPool2d(2, { stride: 2, ceil_mode: true });
  inception5a: Inception;
  inception5b: Inception;
  aux1: InceptionAux;
  aux2: InceptionAux;
  avgpool = new nn.AdaptiveAvgPool2d(1);
  dropout: nn.Dropout;
  fc: nn.Linear;
  localnorm1: nn.LocalResponseNorm | undefined;
  localnorm2: nn.LocalResponseNorm | undefined;

  constructor({ num_classes = 1000, in_channels = 3, paper = false }: GoogLeNetOptions = {}) {
    super();
    const inception = (channels: number, ...widths: Widths) => new Inception(channels, widths, paper ? 5 : 3);
    this.conv1 = new BasicConv2d(in_channels, 64, 7, { stride: 2, padding: 3 });
    this.inception3a = inception(192, 64, 96, 128, 16, 32, 32);
    this.inception3b = inception(256, 128, 128, 192, 32, 96, 64);
    this.inception4a = inception(480, 192, 96, 208, 16, 48, 64);
    this.inception4b = inception(512, 160, 112, 224, 24, 64, 64);
    this.inception4c = inception(512, 128, 128, 256, 24, 64, 64);
    this.inception4d = inception(512, 112, 144, 288, 32, 64, 64);
    this.inception4e = inception(528, 256, 160, 320, 32, 128, 128);
    this.inception5a = inception(832, 256, 160, 320, 32, 128, 128);
    this.inception5b = inception(832, 384, 192, 384, 48, 128, 128);
    this.aux1 = new InceptionAux(512, num_classes);
    this.aux2 = new InceptionAux(528, num_classes);
    this.dropout = new nn.Dropout(paper ? 0.4 : 0.2);
    this.fc = new nn.Linear(1024, num_classes);
    this.localnorm1 = paper ? new nn.LocalResponseNorm(5) : undefined;
    this.localnorm2 = paper ? new nn.LocalResponseNorm(5) : undefined;
    for (const module of nn.modules(this)) {
      if (module instanceof nn.Conv2d || module instanceof nn.Linear) {
        // torchvision truncates at ±2: 200 deviations away, where no number ever is.
        module.weight.init = nn.normal(0, 0.01);
      }
    }
  }

  forward(x: nn.Tensor): nn.ModelOutput {
    const auxiliary: nn.Tensor[] = [];
    x = this.maxpool1.forward(this.conv1.forward(x));
    if (this.localnorm1) x = this.localnorm1.forward(x);
    x = this.conv3.forward(this.conv2.forward(x));
    if (this.localnorm2) x = this.localnorm2.forward(x);
    x = this.maxpool2.forward(x);
    x = this.maxpool3.forward(this.inception3b.forward(this.inception3a.forward(x)));
    x = this.inception4a.forward(x);
    if (x.tracer.training) auxiliary.push(this.aux1.forward(x));
    x = this.inception4d.forward(this.inception4c.forward(this.inception4b.forward(x)));
    if (x.tracer.training) auxiliary.push(this.aux2.forward(x));
    x = this.maxpool4.forward(this.inception4e.forward(x));
    x = this.inception5b.forward(this.inception5a.forward(x));
    const scores = this.fc.forward(this.dropout.forward(nn.flatten(this.avgpool.forward(x))));
    if (!x.tracer.training) return scores;
    return { scores, auxiliary: auxiliary.map((scores) => ({ scores, weight: AUXILIARY_WEIGHT })) };
  }
}

export const googlenet = (options?: GoogLeNetOptions) => new GoogLeNet(options);
