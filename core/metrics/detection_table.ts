import { alignColumns, commas } from "../summary/format.ts";
import type { ClassReport, DetectionReport } from "./detection_report.ts";

const TITLES = ["Class", "Objects", "Detections", "AP", "Precision", "Recall", "at score"];

/** The report as a table for people: a line a class, the mean at the end. */
export function detectionTable({ classes, map, iou_threshold, method }: DetectionReport): string[] {
  const rows = classes.map(({ name, objects, detections, ap, best }: ClassReport) => [
    name,
    commas(objects),
    commas(detections),
    percent(ap),
    percent(best?.precision),
    percent(best?.recall),
    best?.score.toFixed(2) ?? "–",
  ]);
  const how = method === "area" ? "by the area" : "by 11 points";
  return [
    ...alignColumns([TITLES, ...rows], new Set([1, 2, 3, 4, 5, 6])),
    `mAP@${iou_threshold}: ${percent(map)} (${how})`,
  ];
}

function percent(share: number | undefined): string {
  return share === undefined ? "–" : `${(100 * share).toFixed(2)} %`;
}
