/** Precision against recall, a line a class. */
import type { CurvePoint } from "../metrics/average_precision.ts";
import type { ClassReport, DetectionReport } from "../metrics/detection_report.ts";
import { distinctLabels } from "./confusion_chart.ts";
import { lineChart, type Point, type Series } from "./line_chart.ts";
import { PALETTE, type View } from "./style.ts";

/** Lines that the palette tells apart; of more classes, those that are found worst. */
const SHOWN = PALETTE.length;
/** More points would not be seen. */
const POINTS = 500;

export function precisionRecallChart({ classes, map, iou_threshold }: DetectionReport, name: string): View {
  const known = classes.filter(({ ap }) => ap !== undefined);
  const labels = distinctLabels(known.map(({ name }) => name));
  const lines = known.map((report, i) => ({ ...report, label: labels[i]! }))
    .sort((a, b) => a.ap! - b.ap!).slice(0, SHOWN);
  const share = (x: number | undefined) => x === undefined ? "–" : `${(100 * x).toFixed(1)} %`;
  const some = lines.length < known.length
    ? `, the ${lines.length} worst of ${known.length} classes; classes.csv has all`
    : "";
  const axis = { share: true, domain: [0, 1] as const };
  return lineChart({
    title: "Precision and recall",
    subtitle: `${name}: mAP@${iou_threshold} ${share(map)}${some}`,
    x: { title: "recall (share of objects found)", ...axis },
    y: { title: "precision (share of detections right)", ...axis },
    series: lines.map(({ label, ap, ...report }): Series => ({
      name: `${label} ${share(ap)}`,
      points: pointsOf(report),
    })),
    width: 460,
    height: 380,
  });
}

/** From the best detection to the last; where nothing was found, the point of nothing. */
function pointsOf({ curve }: Pick<ClassReport, "curve">): Point[] {
  if (curve.length === 0) return [[0, 0]];
  const step = Math.max(1, Math.ceil(curve.length / POINTS));
  // A point before a change is kept as well: precision falls sharply where recall stays.
  const turns = (i: number) => curve[i]!.recall !== curve[i + 1]?.recall || i % step === 0;
  const points = curve.filter((_, i) => turns(i));
  const at = ({ recall, precision }: CurvePoint): Point => [recall, precision];
  return [[0, curve[0]!.precision], ...points.map(at)];
}
