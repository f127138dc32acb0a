/** How well boxes lie on objects: a histogram of IoU. */
import type { HistogramBin } from "../metrics/detection_report.ts";
import { PALETTE, type View } from "./style.ts";

export interface IouChart {
  /** What was judged. */
  readonly name: string;
  /** From where on a detection can be right. */
  readonly iou_threshold: number;
  /** Least score of the detections that were counted. */
  readonly score_threshold: number;
}

export function iouChart(
  bins: readonly HistogramBin[],
  { name, iou_threshold, score_threshold }: IouChart,
): View {
  const [enough, little] = [`IoU of ${iou_threshold} or more`, "less"];
  const values = bins.map((bin) => ({ ...bin, kind: bin.from >= iou_threshold - 1e-9 ? enough : little }));
  const found = bins.reduce((sum, { count }) => sum + count, 0);
  return {
    title: {
      text: "How well boxes lie on objects",
      subtitle: `${name}: ${
        found.toLocaleString("en-US")
      } detections of a confidence from ${score_threshold}`,
    },
    width: 460,
    height: 240,
    data: { values },
    mark: { type: "bar", binSpacing: 1 },
    encoding: {
      x: {
        field: "from",
        type: "quantitative",
        bin: { binned: true, step: bins[0]!.to },
        title: "IoU with the object of the class that it overlaps most",
        scale: { domain: [0, 1] },
        axis: { grid: false, format: ".1f", values: [0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1] },
      },
      x2: { field: "to" },
      y: { field: "count", type: "quantitative", title: "detections", axis: { format: "d", tickMinStep: 1 } },
      color: {
        field: "kind",
        type: "nominal",
        scale: { domain: [enough, little], range: [PALETTE[0], PALETTE[1]] },
        legend: { title: null, orient: "top" },
      },
    },
  };
}
