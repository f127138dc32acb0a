/** Runs over their epochs: test accuracy, and test loss. */
import type { RunRecord } from "../metrics/compare_runs.ts";
import type { LogColumn } from "../metrics/log.ts";
import { type LineChart, lineChart, type Point } from "./line_chart.ts";
import type { View } from "./style.ts";

const SIZE = { width: 560, height: 280 };

export function compareChart(runs: readonly RunRecord[]): View {
  const last = Math.max(2, ...runs.flatMap(({ log }) => log.map(({ epoch = 0 }) => epoch)));
  const chart = (title: string, column: LogColumn, y: LineChart["y"]) =>
    lineChart({
      title,
      x: { title: "epoch", domain: [1, last], whole: true },
      y,
      series: runs.map(({ name, log }) => ({
        name,
        points: log.flatMap(({ epoch, [column]: value }): Point[] =>
          epoch === undefined ? [] : [[epoch, value ?? NaN]]
        ),
      })),
      ...SIZE,
    });
  return {
    title: { text: `${runs.length} runs` },
    resolve: { scale: { color: "independent", strokeDash: "independent" } },
    vconcat: [
      chart("Test accuracy", "test_accuracy", { title: "share of test images right", format: ".0%" }),
      chart("Test loss", "test_loss", { title: "cross entropy (nats)" }),
    ],
  };
}
