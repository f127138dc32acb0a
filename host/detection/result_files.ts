/** What an evaluation of a detector leaves to look at, in a folder: pictures, tables, and COCO's files. */
import { quoted } from "../../core/csv.ts";
import type { AnnotatedImage } from "../../core/data/detection/sample.ts";
import { SHOWN } from "../../core/detect/detect.ts";
import { cocoAnnotations, cocoResults } from "../../core/metrics/coco.ts";
import { detectionCases, someCases, worstCases } from "../../core/metrics/detection_cases.ts";
import type { DetectionEvaluation } from "../../core/metrics/detection_evaluation.ts";
import { type DetectionReport, iouHistogram } from "../../core/metrics/detection_report.ts";
import { CLASS_TABLE, createResultWriter, MISTAKES } from "../result_writer.ts";
import { caseSheet } from "./case_sheet.ts";

export const PRECISION_RECALL = "precision_recall.svg";
export const IOU = "iou.svg";
export const EXAMPLES = "examples.png";
export const COCO_RESULTS = "coco_results.json";
export const COCO_ANNOTATIONS = "coco_annotations.json";

/** Photographs that a picture shows. */
const SHOWN_CASES = 12;

/** What was judged; `evaluation.images` are those of `images`. */
export interface JudgedImages {
  readonly images: readonly AnnotatedImage[];
  readonly classes: readonly string[];
  readonly evaluation: DetectionEvaluation;
}

/** Writes them all; `title` says what was tested. Returns their names. */
export async function writeDetectionResults(
  folder: string,
  title: string,
  { images, classes, evaluation }: JudgedImages,
): Promise<string[]> {
  const [{ svgOf }, { precisionRecallChart }, { iouChart }] = await Promise.all([
    import("../../core/plot/svg.ts"),
    import("../../core/plot/precision_recall.ts"),
    import("../../core/plot/iou_chart.ts"),
  ]);
  const { write, clear, written } = createResultWriter(folder);
  const { report, images: judged } = evaluation;
  const { iou_threshold } = report;
  const score_threshold = SHOWN.conf_threshold;
  await write(CLASS_TABLE, classTable(report));
  await write(PRECISION_RECALL, await svgOf(precisionRecallChart(report, title)));
  const bins = iouHistogram(judged, classes, { score_threshold });
  await write(IOU, await svgOf(iouChart(bins, { name: title, iou_threshold, score_threshold })));
  const detections = judged.map(({ detections }) => detections);
  await write(COCO_RESULTS, JSON.stringify(cocoResults(detections)) + "\n");
  await write(COCO_ANNOTATIONS, JSON.stringify(cocoAnnotations(images, classes)) + "\n");
  const cases = detectionCases(judged, { score_threshold, iou_threshold });
  const sheet = async (name: string, heading: string, some: typeof cases) => {
    if (some.length > 0) await write(name, (await caseSheet(heading, images, classes, some)).png);
    else await clear(name);
  };
  await sheet(MISTAKES, `Where most is wrong: ${title}`, worstCases(cases, SHOWN_CASES));
  await sheet(EXAMPLES, `Some images: ${title}`, someCases(cases, SHOWN_CASES));
  return written;
}

/** Shares are 0 … 1; precision and recall are those at `score`, where they go best together. */
function classTable({ classes }: DetectionReport): string {
  const share = (x: number | undefined) => x === undefined ? "" : x.toFixed(6);
  const rows = classes.map(({ name, objects, difficult, detections, ap, ap11, best }) =>
    [
      quoted(name),
      objects,
      difficult,
      detections,
      ...[ap, ap11, best?.precision, best?.recall, best?.score].map(share),
    ].join(",")
  );
  return ["class,objects,difficult,detections,ap,ap11,precision,recall,score", ...rows, ""].join("\n");
}
