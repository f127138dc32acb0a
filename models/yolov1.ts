/**
 * You Only Look Once: Unified, Real-Time Object Detection (Redmon, Divvala, Girshick, Farhadi 2015),
 * https://arxiv.org/abs/1506.02640, with batch norm. The image is divided into S×S cells; each predicts C class scores
 * and B boxes of (confidence, x, y, width, height). The result is `[N, S·S·(C + 5·B)]`.
 */
import * as nn from "../core/nn/mod.ts";
import { UserError } from "../core/errors.ts";
import type { DetectionModel } from "../core/detect/model.ts";
import type { MapShape } from "../core/ops/yolo_loss.ts";
import type { ModelOptions } from "./options.ts";

/** Kernel size, output channels, stride, padding. */
type Convolution = readonly [number, number, number, number];
/** Convolutions, and how often they come one after another. */
type Repeated = readonly [...Convolution[], number];
type Entry = Convolution | "M" | Repeated;

/** Figure 3 of the paper, the 20 layers that it pretrains on ImageNet; "M" is a 2×2 max pool. */
const PRETRAINED: readonly Entry[] = [
  [7, 64, 2, 3],
  "M",
  [3, 192, 1, 1],
  "M",
  [1, 128, 1, 0],
  [3, 256, 1, 1],
  [1, 256, 1, 0],
  [3, 512, 1, 1],
  "M",
  [[1, 256, 1, 0], [3, 512, 1, 1], 4],
  [1, 512, 1, 0],
  [3, 1024, 1, 1],
  "M",
  [[1, 512, 1, 0], [3, 1024, 1, 1], 2],
];
/** What follows in a detector. */
const FOUR_MORE: readonly Entry[] = [
  [3, 1024, 1, 1],
  [3, 1024, 2, 1],
  [3, 1024, 1, 1],
  [3, 1024, 1, 1],
];

/** A cell's width in pixels: the product of all strides in the list. */
const CELL = 64;

export interface YoloV1Options extends ModelOptions {
  /** Cells in a row: S. The image's width / 64 by default, 7 for 448. */
  readonly split_size?: number;
  /** Boxes a cell: B. */
  readonly num_boxes?: number;
  /** Width of the hidden layer: 496, which trains in little memory, or the paper's 4096 with its dropout. */
  readonly head?: "496" | "paper";
}

class CNNBlock extends nn.Module {
  conv: nn.Conv2d;
  batchnorm: nn.BatchNorm2d;
  leakyrelu = new nn.LeakyReLU(0.1);

  constructor(in_channels: number, [kernel_size, out_channels, stride, padding]: Convolution) {
    super();
    this.conv = new nn.Conv2d(in_channels, out_channels, kernel_size, { stride, padding, bias: false });
    this.batchnorm = new nn.BatchNorm2d(out_channels);
  }

  forward(x: nn.Tensor): nn.Tensor {
    return this.leakyrelu.forward(this.batchnorm.forward(this.conv.forward(x)));
  }
}

export class YoloV1 extends nn.Module implements DetectionModel {
  readonly map: MapShape;
  readonly body = "darknet";
  darknet: nn.Sequential;
  fcs: nn.Sequential;

  constructor(options: YoloV1Options = {}) {
    super();
    const { num_classes = 20, in_channels = 3, num_boxes = 2, head = "496" } = options;
    const S = splitSize(options);
    this.map = { split_size: S, num_boxes, num_classes };
    const [hidden, dropout] = head === "paper" ? [4096, 0.5] : [496, 0];
    this.darknet = new nn.Sequential(...layersOf([...PRETRAINED, ...FOUR_MORE], in_channels));
    this.fcs = new nn.Sequential(
      new nn.Flatten(),
      new nn.Linear(1024 * S * S, hidden),
      new nn.Dropout(dropout),
      new nn.LeakyReLU(0.1),
      new nn.Linear(hidden, S * S * (num_classes + 5 * num_boxes)),
    );
  }

  forward(x: nn.Tensor): nn.Tensor {
    return this.fcs.forward(this.darknet.forward(x));
  }
}

/**
 * The layers that the paper pretrains, as the classifier with which it does that (section 2.2): average pool and one fully
 * connected layer. Its weights fit into the detector's `darknet`.
 */
export class YoloV1Classifier extends nn.Module {
  darknet: nn.Sequential;
  pool = new nn.AdaptiveAvgPool2d(1);
  fc: nn.Linear;

  constructor({ num_classes = 1000, in_channels = 3 }: ModelOptions = {}) {
    super();
    this.darknet = new nn.Sequential(...layersOf(PRETRAINED, in_channels));
    this.fc = new nn.Linear(1024, num_classes);
  }

  forward(x: nn.Tensor): nn.Tensor {
    return this.fc.forward(nn.flatten(this.pool.forward(this.darknet.forward(x))));
  }
}

/** The layers that an architecture list describes. */
function layersOf(architecture: readonly Entry[], channels: number): nn.Layer[] {
  return architecture.flatMap(expand).map((entry) => {
    if (entry === "M") return new nn.MaxPool2d(2);
    const block = new CNNBlock(channels, entry);
    channels = entry[1];
    return block;
  });
}

function expand(entry: Entry): ("M" | Convolution)[] {
  if (entry === "M" || !isRepeated(entry)) return [entry];
  const convolutions = entry.slice(0, -1) as Convolution[];
  return Array.from({ length: entry.at(-1) as number }, () => convolutions).flat();
}

function isRepeated(entry: Convolution | Repeated): entry is Repeated {
  return typeof entry[0] !== "number";
}

function splitSize({ split_size, input_size }: YoloV1Options): number {
  if (!input_size) return split_size ?? 7;
  const [height, width] = input_size;
  const fits = height === width && (split_size ? width === split_size * CELL : width % CELL === 0);
  if (fits) return width / CELL;
  const wanted = split_size
    ? `${CELL} × split size ${split_size} = ${CELL * split_size}`
    : `a multiple of ${CELL}`;
  throw new UserError(
    `yolov1: images must be square, with a side of ${wanted} pixels, not ${height}×${width}`,
  );
}

export const yolov1 = (options?: YoloV1Options) => new YoloV1(options);
export const yolov1_classifier = (options?: ModelOptions) => new YoloV1Classifier(options);
