/** Every network that has a name: what makes it, what it is made for, where it comes from. */
import type { Module } from "../core/nn/mod.ts";
import { alexnet } from "./alexnet.ts";
import { alexnet_keras } from "./alexnet_keras.ts";
import { darknet53 } from "./darknet53.ts";
import { densenet121 } from "./densenet.ts";
import { googlenet, type GoogLeNetOptions } from "./googlenet.ts";
import { inception_v3 } from "./inception_v3.ts";
import { mobilenet_v2 } from "./mobilenet_v2.ts";
import { nin } from "./nin.ts";
import { type Paper, papers } from "./papers.ts";
import * as resnet from "./resnet.ts";
import { resnet50_layer4 } from "./resnet50_layer4.ts";
import { resnet8_keras } from "./resnet8_keras.ts";
import { resnet20 } from "./resnet_cifar.ts";
import { squeezenet1_0, squeezenet1_1 } from "./squeezenet.ts";
import * as vgg from "./vgg.ts";
import { vgg16_cifar } from "./vgg16_cifar.ts";
import { vgg16_keras, type Vgg16KerasOptions } from "./vgg16_keras.ts";
import { yolov1, yolov1_classifier, type YoloV1Options } from "./yolov1.ts";
import { yolov1_darknet53, yolov1_squeezenet } from "./yolov1_light.ts";

/** The options of all networks; each takes those that its entry lists, beside the ones that all take. */
export interface AnyModelOptions
  extends resnet.ResNetOptions, GoogLeNetOptions, Vgg16KerasOptions, YoloV1Options {}

/** An option as a flag of the command line: what it sets, or what kind of value it takes. */
export type ModelFlag =
  | { readonly kind: "switch"; readonly sets: AnyModelOptions; readonly help: string }
  | { readonly kind: "whole"; readonly option: "split_size" | "num_boxes"; readonly help: string }
  | {
    readonly kind: "choice";
    readonly option: "head";
    readonly choices: readonly string[];
    readonly help: string;
  };

export interface ModelEntry {
  readonly create: (options?: AnyModelOptions) => Module;
  /** Channels, height and width that the network is made for. */
  readonly input: readonly [number, number, number];
  readonly num_classes: number;
  /** Numbers that come out for one image, where they are not one for each class. */
  readonly outputs?: number;
  readonly paper?: Paper;
  /** Whose layers, names and initial values these are, and whose weights fit. */
  readonly source: string;
  /** What the network takes beside `num_classes`, `in_channels` and `input_size`, by the flag's name. */
  readonly flags?: Readonly<Record<string, ModelFlag>>;
}

const imagenet = { input: [3, 224, 224], num_classes: 1000, source: "torchvision" } as const;
const cifar = { input: [3, 32, 32], num_classes: 10 } as const;

const resnetFlags: Readonly<Record<string, ModelFlag>> = {
  "cifar-stem": {
    kind: "switch",
    sets: { cifar_stem: true },
    help: "for small images: 3×3 first, no pool",
  },
};
const resnets = { ...imagenet, paper: papers.resnet, flags: resnetFlags } as const;
const vggs = { ...imagenet, paper: papers.vgg } as const;

const yoloFlags = {
  "split-size": { kind: "whole", option: "split_size", help: "cells in a row" },
  boxes: { kind: "whole", option: "num_boxes", help: "boxes a cell; default 2" },
} as const satisfies Readonly<Record<string, ModelFlag>>;

/** PASCAL VOC's classes, and the paper's 7×7 cells of two boxes. */
const detector = {
  num_classes: 20,
  outputs: 7 * 7 * (20 + 5 * 2),
  paper: papers.yolov1,
  flags: yoloFlags,
} as const;

export const models: Readonly<Record<string, ModelEntry>> = {
  alexnet: { create: alexnet, ...imagenet, paper: papers.one_weird_trick },
  alexnet_keras: {
    create: alexnet_keras,
    input: [3, 227, 227],
    num_classes: 1000,
    paper: papers.alexnet,
    source: "Keras write-ups; own names",
  },
  vgg11: { create: vgg.vgg11, ...vggs },
  vgg13: { create: vgg.vgg13, ...vggs },
  vgg16: { create: vgg.vgg16, ...vggs },
  vgg19: { create: vgg.vgg19, ...vggs },
  vgg11_bn: { create: vgg.vgg11_bn, ...vggs },
  vgg13_bn: { create: vgg.vgg13_bn, ...vggs },
  vgg16_bn: { create: vgg.vgg16_bn, ...vggs },
  vgg19_bn: { create: vgg.vgg19_bn, ...vggs },
  vgg16_keras: {
    create: vgg16_keras,
    ...vggs,
    source: "Keras applications",
    flags: {
      "no-top": {
        kind: "switch",
        sets: { include_top: false },
        help: "ends after the last pool",
      },
    },
  },
  vgg16_cifar: { create: vgg16_cifar, ...cifar, paper: papers.vgg, source: "CIFAR-10 course work" },
  nin: { create: nin, ...cifar, paper: papers.nin, source: "the authors' CIFAR-10 network; own names" },
  googlenet: {
    create: googlenet,
    ...imagenet,
    paper: papers.googlenet,
    flags: {
      paper: {
        kind: "switch",
        sets: { paper: true },
        help: "as in the paper: 5×5, local norms",
      },
    },
  },
  inception_v3: { create: inception_v3, ...imagenet, input: [3, 299, 299], paper: papers.inception_v3 },
  resnet18: { create: resnet.resnet18, ...resnets },
  resnet34: { create: resnet.resnet34, ...resnets },
  resnet50: { create: resnet.resnet50, ...resnets },
  resnet101: { create: resnet.resnet101, ...resnets },
  resnet152: { create: resnet.resnet152, ...resnets },
  resnet50_layer4: {
    create: resnet50_layer4,
    ...cifar,
    paper: papers.resnet,
    source: "CIFAR-10 course work",
  },
  resnet20: { create: resnet20, ...cifar, paper: papers.resnet, source: "akamaster/pytorch_resnet_cifar10" },
  resnet8_keras: {
    create: resnet8_keras,
    ...cifar,
    paper: papers.mlperf_tiny,
    source: "mlcommons/tiny (Keras)",
  },
  resnext50_32x4d: { create: resnet.resnext50_32x4d, ...resnets, paper: papers.resnext },
  wide_resnet50_2: { create: resnet.wide_resnet50_2, ...resnets, paper: papers.wide_resnet },
  densenet121: { create: densenet121, ...imagenet, paper: papers.densenet },
  squeezenet1_0: { create: squeezenet1_0, ...imagenet, paper: papers.squeezenet },
  squeezenet1_1: { create: squeezenet1_1, ...imagenet, paper: papers.squeezenet },
  mobilenet_v2: { create: mobilenet_v2, ...imagenet, paper: papers.mobilenet_v2 },
  darknet53: {
    create: darknet53,
    input: [3, 256, 256],
    num_classes: 18,
    paper: papers.yolov3,
    source: "Darknet-53 in PyTorch, as in the course work",
  },
  yolov1: {
    create: yolov1,
    ...detector,
    input: [3, 448, 448],
    source: "YOLOv1 in PyTorch, as in the course work",
    flags: {
      ...yoloFlags,
      head: {
        kind: "choice",
        option: "head",
        choices: ["496", "paper"],
        help: "496 hidden units, or paper: 4096",
      },
    },
  },
  yolov1_classifier: {
    create: yolov1_classifier,
    ...imagenet,
    paper: papers.yolov1,
    source: "the layers that YOLOv1 pretrains; names as in yolov1",
  },
  yolov1_squeezenet: {
    create: yolov1_squeezenet,
    ...detector,
    input: [3, 224, 224],
    source: "torchvision's SqueezeNet 1.1 with a head of its own",
  },
  yolov1_darknet53: {
    create: yolov1_darknet53,
    ...detector,
    input: [3, 448, 448],
    source: "darknet53 with a head of its own",
  },
};
