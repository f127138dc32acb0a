/** YOLOv1's loss, non-maximum suppression and average precision: yolo.json. */
import type { Backend } from "../backend/backend.ts";
import type { Box } from "../detect/box.ts";
import { nms } from "../detect/nms.ts";
import { GraphBuilder } from "../graph/builder.ts";
import { gradient } from "../graph/gradient.ts";
import { f32 } from "../graph/graph.ts";
import {
  averagePrecision,
  type AveragePrecisionMethod,
  precisionRecall,
} from "../metrics/average_precision.ts";
import { candidatesOf, judge, type JudgedImage } from "../metrics/detection_matches.ts";
import { NO_OBJECT } from "../ops/yolo_loss.ts";
import { type Case, type Comparison, maxError, maxMagnitude } from "./case.ts";
import { signed, unit } from "./fill.ts";
import { type Golden, list } from "./golden.ts";
import { opTolerance } from "./tolerance.ts";

export interface YoloLossEntry {
  readonly name: string;
  readonly batch: number;
  readonly S: number;
  readonly B: number;
  readonly C: number;
  readonly loss: number;
  /** Weighted, over the batch; they add up to the loss. */
  readonly parts: {
    readonly coord: number;
    readonly object: number;
    readonly noobject: number;
    readonly class: number;
  };
  readonly grad: readonly number[];
}

export interface NmsEntry {
  readonly name: string;
  readonly count: number;
  readonly iou_threshold: number;
  readonly keep: readonly number[];
}

type Edges = readonly [x1: number, y1: number, x2: number, y2: number];

export interface AveragePrecisionEntry {
  readonly name: string;
  readonly ground_truth: readonly { readonly image: number; readonly box: Edges }[];
  readonly detections: readonly { readonly image: number; readonly score: number; readonly box: Edges }[];
  readonly ap50_area: number;
  readonly ap50_11point: number;
  readonly ap75_area: number;
}

/** The parts of the file that there is a runner for. */
export const yoloParts = ["loss", "nms", "average_precision"] as const;

/** A case for each entry of the file. */
export function yoloCases(golden: Golden): Case[] {
  const now = (compare: () => Comparison[]) => () => Promise.resolve().then(compare);
  return [
    ...list<YoloLossEntry>(golden, "yolo", "loss")
      .map((entry) => ({ name: entry.name, run: (backend: Backend) => runLoss(entry, backend) })),
    ...list<NmsEntry>(golden, "yolo", "nms")
      .map((entry) => ({ name: entry.name, run: now(() => compareNms(entry)) })),
    ...list<AveragePrecisionEntry>(golden, "yolo", "average_precision")
      .map((entry) => ({ name: entry.name, run: now(() => compareAveragePrecision(entry)) })),
  ];
}

async function runLoss(entry: YoloLossEntry, backend: Backend): Promise<Comparison[]> {
  const { name, batch, S, B, C } = entry;
  const builder = new GraphBuilder();
  const cells = S * S;
  const prediction = builder.input("prediction", f32([batch, cells * (C + 5 * B)]));
  const target = builder.input("target", f32([batch, cells * 5]));
  const [loss, parts] = builder.emit("yolo_loss", [prediction, target], {
    split_size: S,
    num_boxes: B,
    num_classes: C,
    lambda_coord: 5,
    lambda_noobj: 0.5,
    reduction: "mean",
  });
  const [seed] = builder.emit("fill", [], { shape: [], value: 1 });
  builder.output("loss", loss!);
  builder.output("parts", parts!);
  builder.output("grad", gradient(builder, loss!, seed!, [prediction]).get(prediction)!);
  const session = backend.compile({ op: builder.finish() });
  try {
    session.write("op", "prediction", signed(`${name}/pred`, prediction.shape, 1));
    session.write("op", "target", targetOf(entry));
    await session.run("op");
    const [xy, wh, ...others] = await session.read("op", "parts");
    return [
      compare("loss", await session.read("op", "loss"), [entry.loss]),
      compare("coord", [xy! + wh!], [entry.parts.coord]),
      ...(["object", "noobject", "class"] as const).map((part, i) =>
        compare(part, [others[i]!], [entry.parts[part]])
      ),
      compare("grad", await session.read("op", "grad"), entry.grad),
    ];
  } finally {
    session.dispose();
  }
}

/** Each cell takes six numbers: whether it holds an object, the class, x, y, width, height. */
function targetOf({ name, batch, S, C }: YoloLossEntry): Float32Array {
  const number = unit(`${name}/target`);
  const cells = Array.from({ length: batch * S * S }, (_, cell) => {
    const u = (i: number) => number(6 * cell + i);
    const side = (i: number) => 0.2 + u(i) * 0.8 * S;
    return u(0) < 0.3 ? [Math.floor(u(1) * C), u(2), u(3), side(4), side(5)] : [NO_OBJECT, 0, 0, 0, 0];
  });
  return Float32Array.from(cells.flat());
}

function compare(what: string, actual: ArrayLike<number>, expected: ArrayLike<number>): Comparison {
  return { what, error: maxError(actual, expected), tolerance: opTolerance(maxMagnitude(expected)) };
}

function compareNms({ name, count, iou_threshold, keep }: NmsEntry): Comparison[] {
  const boxes: Box[] = [], scores: number[] = [];
  const number = unit(`${name}/boxes`);
  for (let i = 0; i < count; i++) {
    const u = (k: number) => number(5 * i + k);
    const [x1, y1] = [0.7 * u(0), 0.7 * u(1)];
    const [x2, y2] = [x1 + 0.05 + 0.3 * u(2), y1 + 0.05 + 0.3 * u(3)];
    boxes.push({ x1: Math.fround(x1), y1: Math.fround(y1), x2: Math.fround(x2), y2: Math.fround(y2) });
    scores.push(Math.fround(u(4)));
  }
  // Exactly the same boxes in the same order, or wrong.
  return [{ what: "keep", error: maxError(nms(boxes, scores, iou_threshold), keep), tolerance: 0 }];
}

function compareAveragePrecision(entry: AveragePrecisionEntry): Comparison[] {
  const images: JudgedImage[] = [];
  const boxOf = ([x1, y1, x2, y2]: Edges): Box => ({ x1, y1, x2, y2 });
  const label = 0, difficult = false;
  const count = 1 + Math.max(-1, ...[...entry.ground_truth, ...entry.detections].map(({ image }) => image));
  for (let image = 0; image < count; image++) {
    const here = <Item extends { image: number }>(item: Item) => item.image === image;
    images.push({
      objects: entry.ground_truth.filter(here).map(({ box }) => ({ box: boxOf(box), label, difficult })),
      detections: entry.detections.filter(here).map(({ box, score }) => ({ box: boxOf(box), label, score })),
    });
  }
  const { candidates, positives } = candidatesOf(images, label);
  const result = (threshold: number, method: AveragePrecisionMethod) =>
    averagePrecision(precisionRecall(judge(candidates, threshold), positives), positives, method) ?? NaN;
  // Sums of at most hundreds of terms, in float64 on both sides.
  const tolerance = 1e-12;
  return ([
    ["ap50_area", result(0.5, "area")],
    ["ap50_11point", result(0.5, "11 points")],
    ["ap75_area", result(0.75, "area")],
  ] as const).map(([what, value]) => ({ what, error: Math.abs(value - entry[what]), tolerance }));
}
