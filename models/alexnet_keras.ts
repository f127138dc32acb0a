/**
 * AlexNet as it is often written in Keras: "ImageNet Classification with Deep Convolutional Neural Networks"
 * (Krizhevsky, Sutskever, Hinton 2012), https://papers.nips.cc/paper/4824, in one column, with batch norm after the first
 * two pools in place of local response normalisation, and less dropout.
 *
 * Names: `features.conv1`, `features.bn1`, … `features.conv5`, `classifier.fc1`, `classifier.fc2`,
 * `classifier.predictions`. Initial values and the settings of batch norm are Keras's defaults. The scores come without
 * softmax.
 */
import * as nn from "../core/nn/mod.ts";
import { KERAS_BATCH_NORM, kerasInit } from "./keras.ts";
import type { ModelOptions } from "./options.ts";

export class AlexNetKeras extends nn.Module {
  features: nn.Sequential;
  classifier: nn.Sequential;

  constructor({ num_classes = 1000, in_channels = 3, input_size = [227, 227] }: ModelOptions = {}) {
    super();
    this.features = new nn.Sequential({
      conv1: new nn.Conv2d(in_channels, 96, 11, { stride: 4, padding: "valid" }),
      relu1: new nn.ReLU(),
      pool1: new nn.MaxPool2d(3, { stride: 2 }),
      bn1: new nn.BatchNorm2d(96, KERAS_BATCH_NORM),
      conv2: new nn.Conv2d(96, 256, 5, { padding: "same" }),
      relu2: new nn.ReLU(),
      pool2: new nn.MaxPool2d(3, { stride: 2 }),
      bn2: new nn.BatchNorm2d(256, KERAS_BATCH_NORM),
      conv3: new nn.Conv2d(256, 384, 3, { padding: "same" }),
      relu3: new nn.ReLU(),
      conv4: new nn.Conv2d(384, 384, 3, { padding: "same" }),
      relu4: new nn.ReLU(),
      conv5: new nn.Conv2d(384, 256, 3, { padding: "same" }),
      relu5: new nn.ReLU(),
      pool5: new nn.MaxPool2d(3, { stride: 2, padding: "same" }),
      flatten: new nn.Flatten(),
    });
    const image = [1, in_channels, ...input_size];
    const [, features = 0] = nn.shapeAfter(this, image, (x) => this.features.forward(x));
    this.classifier = new nn.Sequential({
      fc1: new nn.Linear(features, 4096),
      relu1: new nn.ReLU(),
      drop1: new nn.Dropout(0.2),
      fc2: new nn.Linear(4096, 4096),
      relu2: new nn.ReLU(),
      drop2: new nn.Dropout(0.2),
      predictions: new nn.Linear(4096, num_classes),
    });
    kerasInit(this);
  }

  forward(x: nn.Tensor): nn.Tensor {
    return this.classifier.forward(this.features.forward(x));
  }
}

export const alexnet_keras = (options?: ModelOptions) => new AlexNetKeras(options);
