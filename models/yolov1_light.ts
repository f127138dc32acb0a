/**
 * YOLOv1 (Redmon et al. 2015, https://arxiv.org/abs/1506.02640) on another classifier's features, for data sets that are too
 * small to teach the paper's network: the paper's map of cells and its loss, a body that the classifier's weights fit into,
 * and a head of three convolutions instead of fully connected layers, so that what is learnt about one place holds
 * everywhere.
 */
import type { DetectionModel } from "../core/detect/model.ts";
import { UserError } from "../core/errors.ts";
import * as nn from "../core/nn/mod.ts";
import type { MapShape } from "../core/ops/yolo_loss.ts";
import { Darknet53Features } from "./darknet53.ts";
import type { ModelOptions } from "./options.ts";
import { squeezenet1_1_features } from "./squeezenet.ts";

export interface YoloV1LightOptions extends ModelOptions {
  /** Cells in a row, which the size of the image decides; another number is an error. */
  readonly split_size?: number;
  /** Boxes a cell: B. */
  readonly num_boxes?: number;
}

/** Channels between the head's convolutions. */
const HIDDEN = 256;

export class YoloV1Light extends nn.Module implements DetectionModel {
  readonly map: MapShape;
  readonly body = "backbone";
  backbone: nn.Layer;
  head: nn.Sequential;

  /** Without a size, images are `side` × `side`. */
  constructor(backbone: nn.Layer, side: number, options: YoloV1LightOptions) {
    super();
    const { num_classes = 20, num_boxes = 2, in_channels = 3, input_size = [side, side] } = options;
    const features = nn.shapeAfter(backbone, [1, in_channels, ...input_size], (x) => backbone.forward(x));
    const [, channels, height, width] = features as [number, number, number, number];
    const split_size = Math.ceil(height / 2);
    if (height !== width || (options.split_size ?? split_size) !== split_size) {
      throw new UserError(
        `images of ${input_size.join("×")} have ${split_size}×${Math.ceil(width / 2)} cells` +
          (height === width ? `, not the ${options.split_size} of split size` : "; they must be square"),
      );
    }
    this.map = { split_size, num_boxes, num_classes };
    this.backbone = backbone;
    this.head = new nn.Sequential(
      ...convolution(channels, 2),
      ...convolution(HIDDEN, 1),
      new nn.Conv2d(HIDDEN, num_classes + 5 * num_boxes, 1),
    );
  }

  forward(x: nn.Tensor): nn.Tensor {
    return nn.flattenChannelsLast(this.head.forward(this.backbone.forward(x)));
  }
}

function convolution(channels: number, stride: number): nn.Layer[] {
  return [
    new nn.Conv2d(channels, HIDDEN, 3, { stride, padding: 1, bias: false }),
    new nn.BatchNorm2d(HIDDEN),
    new nn.LeakyReLU(0.1),
  ];
}

/** On SqueezeNet 1.1: 14 times less work than the paper's on the same image. */
export const yolov1_squeezenet = (options: YoloV1LightOptions = {}) =>
  new YoloV1Light(squeezenet1_1_features(options.in_channels ?? 3), 224, options);

/** On Darknet-53, whose weights as a classifier fit. */
export const yolov1_darknet53 = (options: YoloV1LightOptions = {}) =>
  new YoloV1Light(new Darknet53Features(options.in_channels ?? 3), 448, options);
