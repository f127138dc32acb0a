/** The courses of several runs over each other. */
import type { LogColumn, LogRow } from "../metrics/log.ts";
import { type Axis, lineChart, type Point } from "./line_chart.ts";
import { lossAxis } from "./loss_axis.ts";
import { PALETTE, type View } from "./style.ts";

export interface NamedLog {
  readonly name: string;
  readonly log: readonly LogRow[];
}

/** Test accuracy or mAP, and test loss by epoch, a line for each run. */
export function comparison(runs: readonly NamedLog[]): View {
  const last = Math.max(1, ...runs.flatMap(({ log }) => log.map(({ epoch = 0 }) => epoch)));
  const x = { title: "epoch", domain: [Math.min(1, last - 1), last] as const, whole: true };
  const chart = (title: string, column: LogColumn, y: Axis) =>
    lineChart({
      title,
      x,
      y,
      // Where the colours begin again, the lines are dashed.
      series: runs.map(({ name, log }, i) => ({
        name,
        points: pointsOf(log, column),
        dashed: Math.floor(i / PALETTE.length) % 2 === 1,
      })),
    });
  const has = (column: LogColumn) => runs.some(({ log }) => log.some((row) => row[column] !== undefined));
  return {
    // A chart may lack lines that another has.
    resolve: { scale: { color: "independent", strokeDash: "independent" } },
    vconcat: [
      ...has("test_accuracy")
        ? [chart("Test accuracy", "test_accuracy", { title: "share of images right", share: true })]
        : [],
      ...has("test_map50")
        ? [chart("Test mAP@0.5", "test_map50", { title: "mAP@0.5", share: true, zero: true })]
        : [],
      chart("Test loss", "test_loss", lossAxis("loss", has("test_map50"))),
    ],
  };
}

function pointsOf(log: readonly LogRow[], column: LogColumn): Point[] {
  return log.flatMap(({ epoch, [column]: value }) => epoch === undefined ? [] : [[epoch, value ?? NaN]]);
}
