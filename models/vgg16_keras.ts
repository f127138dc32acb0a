/**
 * VGG-16 as in Keras's applications: configuration D of "Very Deep Convolutional Networks for Large-Scale Image
 * Recognition" (Simonyan & Zisserman 2014), https://arxiv.org/abs/1409.1556.
 *
 * Names are Keras's layers': `block1_conv1` … `block5_conv3`, `fc1`, `fc2`, `predictions`. Keras flattens an image with
 * its channels last, so that the rows of its `fc1` come in another order than ours. The scores come without softmax.
 */
import * as nn from "../core/nn/mod.ts";
import { type Shape, sizeOf } from "../core/shape.ts";
import { kerasInit } from "./keras.ts";
import type { ModelOptions } from "./options.ts";
import { configurations } from "./vgg.ts";

export interface Vgg16KerasOptions extends ModelOptions {
  /** Without the fully connected layers the network returns the features of the last pool. */
  readonly include_top?: boolean;
}

export function vgg16_keras(options: Vgg16KerasOptions = {}): nn.Sequential {
  const { num_classes = 1000, in_channels = 3, input_size = [224, 224], include_top = true } = options;
  const base = blocks(in_channels);
  const image = [1, in_channels, ...input_size];
  const model = include_top
    ? new nn.Sequential({ ...base, ...top(sizeAfter(new nn.Sequential(base), image), num_classes) })
    : new nn.Sequential(base);
  kerasInit(model);
  return model;
}

function blocks(channels: number): Record<string, nn.Layer> {
  const layers: Record<string, nn.Layer> = {};
  let block = 1;
  let conv = 1;
  for (const entry of configurations.D) {
    if (entry === "M") {
      layers[`block${block}_pool`] = new nn.MaxPool2d(2);
      block += 1;
      conv = 1;
    } else {
      const name = `block${block}_conv${conv}`;
      layers[name] = new nn.Conv2d(channels, entry, 3, { padding: "same" });
      layers[`${name}_relu`] = new nn.ReLU();
      channels = entry;
      conv += 1;
    }
  }
  return layers;
}

function sizeAfter(base: nn.Sequential, image: Shape): number {
  return sizeOf(nn.shapeAfter(base, image, (x) => base.forward(x)));
}

function top(features: number, num_classes: number): Record<string, nn.Layer> {
  return {
    flatten: new nn.Flatten(),
    fc1: new nn.Linear(features, 4096),
    fc1_relu: new nn.ReLU(),
    fc2: new nn.Linear(4096, 4096),
    fc2_relu: new nn.ReLU(),
    predictions: new nn.Linear(4096, num_classes),
  };
}
