/** A confusion matrix as a picture: rows are what images are, columns what they were taken for. */
import { widthOf } from "../svg_text.ts";
import type { View } from "./style.ts";

/** Up to this many classes, each cell says its number. */
const NUMBERED = 20;
/** Up to this many, each class is named; of more, only some are, and those that do not occur are left out. */
const NAMED = 60;
/** Letters of a name that are shown. */
const LETTERS = 18;
/** Size of a label's letters. */
const LETTER = 11;

interface Cell {
  readonly actual: string;
  readonly predicted: string;
  readonly count: number;
  /** Of the images of the true class, 0 … 1. */
  readonly share: number;
}

/** `matrix` is `[true, predicted]`, as `confusionMatrix` makes it. */
export function confusionChart(matrix: Uint32Array, names: readonly string[], subtitle: string): View {
  const shown = occurring(matrix, names.length);
  const all = distinctLabels(names);
  const labels = shown.map((index) => all[index]!);
  const n = shown.length;
  const left = names.length - n;
  const cell = n <= 4 ? 72 : n <= 10 ? 46 : n <= NUMBERED ? 34 : n <= NAMED ? 14 : Math.max(2, 700 / n);
  const values: Cell[] = [];
  for (const row of shown) {
    const counts = matrix.subarray(row * names.length, (row + 1) * names.length);
    const images = counts.reduce((sum, count) => sum + count, 0);
    counts.forEach((count, column) => {
      if (count === 0) return;
      values.push({ actual: all[row]!, predicted: all[column]!, count, share: count / images });
    });
  }
  const fits = Math.max(...labels.map(widthOf)) * LETTER <= cell;
  const every = n <= NAMED ? 1 : Math.ceil(n / 40);
  const axis = (title: string, more: View) => ({
    title,
    // Where all are named, Vega is told nothing: it takes a few names, such as `constructor`, for its own.
    ...(every > 1 ? { values: labels.filter((_, i) => i % every === 0) } : {}),
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
        // Names of many classes would run into each other if they were inclined.
        labelAngle: fits ? 0 : n <= NUMBERED ? -45 : -90,
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
          // So far apart that Vega drops none in the shortest legend.
          values: [0, 0.05, 0.25, 0.5, 1],
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
      // White and dark letters are read equally well on the colour of this share.
      color: { condition: { test: "datum.share > 0.44", value: "#ffffff" }, value: "#222222" },
    },
  };
  return {
    title: {
      text: "Confusion matrix",
      subtitle: left > 0
        ? [
          subtitle,
          `${left} of ${names.length.toLocaleString("en-US")} classes do not occur and are left out`,
        ]
        : subtitle,
    },
    data: { values },
    width: n * cell,
    height: n * cell,
    view: { fill: "#f3f7fb" },
    layer: n <= NUMBERED ? [cells, numbers] : [cells],
  };
}

/** Indices of the classes that are drawn: of many only those that an image is of, or was taken for. */
function occurring(matrix: Uint32Array, n: number): number[] {
  const all = Array.from({ length: n }, (_, index) => index);
  if (n <= NAMED) return all;
  const occurs = new Uint8Array(n);
  matrix.forEach((count, i) => {
    if (count > 0) occurs[Math.floor(i / n)] = occurs[i % n] = 1;
  });
  return all.filter((index) => occurs[index]);
}

/** Names cut to a length that can be shown; those that become equal keep their number. */
export function distinctLabels(names: readonly string[]): string[] {
  const cut = names.map((name) => {
    const letters = [...name];
    return letters.length <= LETTERS ? name : letters.slice(0, LETTERS - 1).join("") + "…";
  });
  return cut.map((label, i) => cut.indexOf(label) === cut.lastIndexOf(label) ? label : `${label} ${i}`);
}
