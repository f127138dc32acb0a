/**
 * Densely Connected Convolutional Networks (Huang, Liu, van der Maaten, Weinberger 2016),
 * https://arxiv.org/abs/1608.06993: DenseNet-BC with growth rate 32. Layers, names and initial values are torchvision's.
 */
import * as nn from "../core/nn/mod.ts";
import type { ModelOptions } from "./options.ts";

/** Channels that each layer adds: the paper's k. */
const GROWTH = 32;
const STEM = 64;

/** 1×1 convolution to 4k channels, 3×3 to k. */
class DenseLayer extends nn.Module {
  norm1: nn.BatchNorm2d;
  relu1 = new nn.ReLU();
  conv1: nn.Conv2d;
  norm2 = new nn.BatchNorm2d(4 * GROWTH);
  relu2 = new nn.ReLU();
  conv2 = new nn.Conv2d(4 * GROWTH, GROWTH, 3, { padding: 1, bias: false });

  constructor(in_channels: number) {
    super();
    this.norm1 = new nn.BatchNorm2d(in_channels);
    this.conv1 = new nn.Conv2d(in_channels, 4 * GROWTH, 1, { bias: false });
  }

  forward(x: nn.Tensor): nn.Tensor {
    x = this.conv1.forward(this.relu1.forward(this.norm1.forward(x)));
    return this.conv2.forward(this.relu2.forward(this.norm2.forward(x)));
  }
}

/** Each layer sees the block's input and the results of all layers before it. */
class DenseBlock extends nn.Module {
  readonly #layers: readonly DenseLayer[];

  constructor(in_channels: number, layers: number) {
    super();
    this.#layers = Array.from({ length: layers }, (_, i) => new DenseLayer(in_channels + i * GROWTH));
    Object.assign(this, Object.fromEntries(this.#layers.map((layer, i) => [`denselayer${i + 1}`, layer])));
  }

  forward(x: nn.Tensor): nn.Tensor {
    return this.#layers.reduce((seen, layer) => nn.concat([seen, layer.forward(seen)], 1), x);
  }
}

/** Halves the channels and the image. */
function transition(in_channels: number): nn.Sequential {
  return new nn.Sequential({
    norm: new nn.BatchNorm2d(in_channels),
    relu: new nn.ReLU(),
    conv: new nn.Conv2d(in_channels, in_channels / 2, 1, { bias: false }),
    pool: new nn.AvgPool2d(2),
  });
}

export class DenseNet extends nn.Module {
  features: nn.Sequential;
  classifier: nn.Linear;

  constructor(blocks: readonly number[], { num_classes = 1000, in_channels = 3 }: ModelOptions = {}) {
    super();
    const features: Record<string, nn.Layer> = {
      conv0: new nn.Conv2d(in_channels, STEM, 7, { stride: 2, padding: 3, bias: false }),
      norm0: new nn.BatchNorm2d(STEM),
      relu0: new nn.ReLU(),
      pool0: new nn.MaxPool2d(3, { stride: 2, padding: 1 }),
    };
    let channels = STEM;
    for (const [i, layers] of blocks.entries()) {
      features[`denseblock${i + 1}`] = new DenseBlock(channels, layers);
      channels += layers * GROWTH;
      if (i === blocks.length - 1) break;
      features[`transition${i + 1}`] = transition(channels);
      channels /= 2;
    }
    this.features = new nn.Sequential({ ...features, norm5: new nn.BatchNorm2d(channels) });
    this.classifier = new nn.Linear(channels, num_classes);
    this.classifier.bias!.init = nn.constant(0);
    for (const module of nn.modules(this)) {
      if (module instanceof nn.Conv2d) module.weight.init = nn.kaimingNormalFanIn(module.weight.shape);
    }
  }

  forward(x: nn.Tensor): nn.Tensor {
    x = nn.adaptiveAvgPool2d(nn.relu(this.features.forward(x)), 1);
    return this.classifier.forward(nn.flatten(x));
  }
}

export const densenet121 = (options?: ModelOptions) => new DenseNet([6, 12, 24, 16], options);
