/** A confusion matrix as a picture: rows are what images are, columns what they were taken for. */
import type { View } from "./style.ts";

/** Up to this many classes, each cell says its number. */
const NUMBERED = 20;
/** Up to this many, each class is named; of more, only some are. */
const NAMED = 60;
/** Letters of a name that are shown. */
const LETTERS = 18;

interface Cell {
  readonly actual: string;
  readonly predicted: string;
  readonly count: number;
  /** Of the images of the true class, 0 … 1. */
  readonly share: number;
}

/** `matrix` is `[true, predicted]`, as `confusionMatrix` makes it. */
export function confusionChart(matrix: Uint32Array, names: readonly string[], subtitle: string): View {
  const n = names.length;
  const labels = distinctLabels(names);
  const cell = n <= 4 ? 72 : n <= 10 ? 46 : n <= NUMBERED ? 34 : n <= NAMED ? 14 : Math.max(2, 700 / n);
  const values: Cell[] = [];
  labels.forEach((actual, row) => {
    const counts = matrix.subarray(row * n, (row + 1) * n);
    const images = counts.reduce((sum, count) => sum + count, 0);
    counts.forEach((count, column) => {
      if (count > 0) values.push({ actual, predicted: labels[column]!, count, share: count / images });
    });
  });
  // A letter takes about this many pixels.
  const fits = Math.max(...labels.map((label) => [...label].length)) * 6.5 <= cell;
  const every = n <= NAMED ? 1 : Math.ceil(n / 40);
  const axis = (title: string, more: View) => ({
    title,
    values: labels.filter((_, i) => i % every === 0),
    labelLimit: 200,
    grid: false,
    ticks: false,
    domain: false,
    ...(n > NUMBERED ? { labelFontSize: every === 1 ? 10 : 9 } : {}),
    ...more,
  });
  const at = {
    y: {
      field: "actual",
      type: "nominal",
      scale: { domain: labels },
      axis: axis("true class", { titlePadding: 10 }),
    },
    x: {
      field: "predicted",
      type: "nominal",
      scale: { domain: labels },
      axis: axis("predicted class", {
        orient: "top",
        labelAngle: fits ? 0 : -45,
        labelAlign: fits ? "center" : "left",
      }),
    },
  };
  const cells = {
    mark: {
      type: "rect",
      ...(n <= NAMED ? { stroke: "#ffffff", strokeWidth: n <= NUMBERED ? 2 : 0.5 } : {}),
    },
    encoding: {
      ...at,
      color: {
        field: "share",
        type: "quantitative",
        // A square root lets the few mistakes be seen beside the many right answers.
        scale: {
          type: "sqrt",
          domain: [0, 1],
          range: ["#f3f7fb", "#9ecae1", "#3182bd", "#08306b"],
          interpolate: "lab",
        },
        legend: {
          title: "share of the true class",
          format: ".0%",
          values: [0, 0.01, 0.1, 0.25, 0.5, 1],
          gradientLength: Math.min(200, Math.max(120, n * cell)),
        },
      },
    },
  };
  const numbers = {
    mark: { type: "text", fontSize: n <= 10 ? 12 : 10 },
    encoding: {
      ...at,
      text: { field: "count", type: "quantitative", format: "d" },
      color: { condition: { test: "datum.share > 0.3", value: "#ffffff" }, value: "#222222" },
    },
  };
  return {
    title: { text: "Confusion matrix", subtitle },
    data: { values },
    width: n * cell,
    height: n * cell,
    view: { fill: "#f3f7fb" },
    layer: n <= NUMBERED ? [cells, numbers] : [cells],
  };
}

/** Names cut to a length that can be shown; those that become equal keep their number. */
export function distinctLabels(names: readonly string[]): string[] {
  const cut = names.map((name) => {
    const letters = [...name];
    return letters.length <= LETTERS ? name : letters.slice(0, LETTERS - 1).join("") + "…";
  });
  return cut.map((label, i) => cut.indexOf(label) === cut.lastIndexOf(label) ? label : `${label} ${i}`);
}
