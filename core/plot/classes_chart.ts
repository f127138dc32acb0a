/** Precision and recall of each class, the weakest first. */
import type { ClassScores } from "../metrics/per_class.ts";
import { distinctLabels } from "./confusion_chart.ts";
import { PALETTE, type View } from "./style.ts";

/** Of more classes, those with the lowest F1. */
const SHOWN = 40;
const ROW = 20;

export function classesChart(scores: readonly ClassScores[]): View {
  const labels = distinctLabels(scores.map(({ name }) => name));
  // Of a class without images nothing is known, which is not the same as a weak one.
  const known = scores.map((score, i) => ({ ...score, label: labels[i]! })).filter(({ support }) =>
    support > 0
  );
  const rows = known.toSorted((a, b) => a.f1 - b.f1).slice(0, SHOWN);
  const order = rows.map(({ label }) => label);
  const values = rows.flatMap(({ label, precision, recall }) => [
    { label, measure: "precision", value: precision },
    { label, measure: "recall", value: recall },
  ]);
  const y = {
    field: "label",
    type: "nominal",
    scale: { domain: order },
    // The padding leaves room for the marks of those at 0.
    axis: { title: "class", labelLimit: 200, labelPadding: 9, grid: false, ticks: false },
  };
  const least = Math.min(...values.map(({ value }) => value));
  const x = {
    field: "value",
    type: "quantitative",
    title: "share of images",
    axis: { format: ".0%" },
    // Where all are high, their differences are what matters.
    scale: { domain: [least > 0.5 ? Math.floor(10 * least - 0.5) / 10 : 0, 1] },
  };
  const better = known.length - rows.length;
  const absent = scores.length - known.length;
  const subtitle = better > 0
    ? `the ${rows.length} classes with the lowest F1; ${better} better ones are in classes.csv`
    : "by F1, the weakest class first";
  return {
    title: {
      text: "Precision and recall",
      subtitle: absent > 0 ? `${subtitle}; no test image is of ${absent} others` : subtitle,
    },
    width: 420,
    height: Math.max(80, ROW * rows.length),
    layer: [
      {
        data: { values: rows },
        mark: { type: "rule", color: "#bdc1c6", strokeWidth: 2 },
        encoding: { y, x: { ...x, field: "precision" }, x2: { field: "recall" } },
      },
      {
        data: { values },
        mark: { type: "point", filled: true, size: 70, opacity: 1 },
        encoding: {
          y,
          x,
          color: {
            field: "measure",
            type: "nominal",
            scale: { domain: ["precision", "recall"], range: [PALETTE[0], PALETTE[1]] },
            legend: { title: null, orient: "top" },
          },
          shape: {
            field: "measure",
            type: "nominal",
            scale: { domain: ["precision", "recall"], range: ["circle", "diamond"] },
            legend: { title: null, orient: "top" },
          },
        },
      },
    ],
  };
}
