import { alignColumns, commas } from "../summary/format.ts";
import type { ClassReport, DetectionReport } from "./detection_report.ts";

const TITLES = ["Class", "Objects", "Detections", "AP", "AP11", "Precision", "Recall", "at score"];

/** The report as a table for people: a line a class, the mean at the end. */
export function detectionTable({ classes, map, map11, iou_threshold }: DetectionReport): string[] {
  const rows = classes.map(({ name, objects, detections, ap, ap11, best }: ClassReport) => [
    name,
    commas(objects),
    commas(detections),
    percent(ap),
    percent(ap11),
    percent(best?.precision),
    percent(best?.recall),
    best?.score.toFixed(2) ?? "–",
  ]);
  return [
    ...alignColumns([TITLES, ...rows], new Set([1, 2, 3, 4, 5, 6, 7])),
    `mAP@${iou_threshold}: ${percent(map)} (by 11 points ${percent(map11)})`,
  ];
}

function percent(share: number | undefined): string {
  return share === undefined ? "–" : `${(100 * share).toFixed(2)} %`;
}
