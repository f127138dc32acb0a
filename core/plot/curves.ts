/** A run's course: loss, accuracy and learning rate over its epochs. */
import { bestEpoch } from "../metrics/best_epoch.ts";
import { type LogColumn, type LogRow, scoreOf } from "../metrics/log.ts";
import { type YoloLossPart, yoloLossParts } from "../ops/yolo_loss.ts";
import { type LineChart, lineChart, type Point } from "./line_chart.ts";
import { lossAxis } from "./loss_axis.ts";
import { PALETTE, type View } from "./style.ts";

const [TRAIN, TEST, TOP5, RATE] = PALETTE;
/** What the parts of YOLOv1's loss are called beside their lines. */
const PARTS: Readonly<Record<YoloLossPart, string>> = {
  xy: "places",
  wh: "sizes",
  object: "object",
  noobject: "no object",
  class: "classes",
};
const SIZE = { width: 460, height: 220 };

/** `name` says which run it is. */
export function curves(log: readonly LogRow[], name: string): View {
  const points = (column: LogColumn): Point[] =>
    log.flatMap(({ epoch, [column]: value }) => epoch === undefined ? [] : [[epoch, value ?? NaN]]);
  // Of five classes or fewer it is always 1.
  const top5 = points("test_top5");
  const last = Math.max(1, ...log.map(({ epoch = 0 }) => epoch));
  const x = { title: "epoch", domain: [Math.min(1, last - 1), last] as const, whole: true };
  const chart = (title: string, rest: Pick<LineChart, "y" | "series">) =>
    lineChart({ title, x, ...SIZE, ...rest });
  const best = bestEpoch(log);
  const isDetector = best?.test_map50 !== undefined;
  const found = best === undefined
    ? ""
    : `best test ${isDetector ? "mAP@0.5" : "accuracy"} ${
      (100 * scoreOf(best)!).toFixed(2)
    } % in epoch ${best.epoch}`;
  return {
    title: { text: name, subtitle: found },
    // Each chart has its own lines.
    resolve: { scale: { color: "independent", strokeDash: "independent" } },
    vconcat: [
      ...isDetector
        ? [
          chart("Mean average precision of the test images", {
            y: { title: "mAP", share: true, zero: true },
            series: [
              { name: "mAP@0.5", points: points("test_map50"), colour: TEST },
              { name: "mAP@0.5–0.95", points: points("test_map50_95"), colour: TOP5 },
            ],
          }),
          chart("Parts of the training loss", {
            y: lossAxis("loss", isDetector),
            series: yoloLossParts.map((part) => ({ name: PARTS[part], points: points(`train_${part}`) })),
          }),
        ]
        : [
          chart("Accuracy", {
            y: { title: "share of images right", share: true },
            series: [
              { name: "train", points: points("train_accuracy"), colour: TRAIN },
              { name: "test", points: points("test_accuracy"), colour: TEST },
              ...top5.some(([, share]) => share < 1)
                ? [{ name: "test top-5", points: top5, colour: TOP5 }]
                : [],
            ],
          }),
        ],
      chart("Loss", {
        y: lossAxis(isDetector ? "YOLOv1's loss" : "cross entropy (nats)", isDetector),
        series: [
          { name: "train", points: points("train_loss"), colour: TRAIN },
          { name: "test", points: points("test_loss"), colour: TEST },
        ],
      }),
      chart("Learning rate, at the beginning of the epoch", {
        y: { title: "learning rate", zero: true, format: "~g" },
        series: [{ name: "learning rate", points: points("lr"), colour: RATE! }],
      }),
    ],
  };
}
