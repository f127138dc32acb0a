/** Lines over one axis, each named at its end. */
import { PALETTE, type View } from "./style.ts";

export interface Axis {
  /** With its unit, such as `time (s)`. */
  readonly title: string;
  /** Default linear. A logarithmic axis leaves out what is not above 0. */
  readonly scale?: "linear" | "log";
  /** d3's number format, such as `~g`. */
  readonly format?: string;
  /** Whether its numbers are shares: told in percent, with as many digits as tell the ticks apart, within 0 and 1. */
  readonly share?: boolean;
  /** Whether 0 is part of the axis; default false. */
  readonly zero?: boolean;
  /** The ends of the axis; default those of the points. */
  readonly domain?: readonly [number, number];
  /** Whether only whole numbers are named. */
  readonly whole?: boolean;
}

export type Point = readonly [x: number, y: number];

export interface Series {
  readonly name: string;
  /** Points that are not finite leave a gap. */
  readonly points: readonly Point[];
  readonly dashed?: boolean;
  /** Default the next of the palette. */
  readonly colour?: string;
}

export interface LineChart {
  readonly title: string;
  readonly subtitle?: string;
  readonly x: Axis;
  readonly y: Axis;
  readonly series: readonly Series[];
  /** Vertical lines with a few words, such as the learning rate that is suggested. */
  readonly marks?: readonly { readonly x: number; readonly label: string }[];
  /** Of the plot without its axes, in pixels; default 520 × 260. */
  readonly width?: number;
  readonly height?: number;
}

/** Points up to which each is shown by a dot. */
const FEW = 40;
/** Height of a label, in pixels. */
const LABEL = 14;

/**
 * The chart as a view, for `svgOf` of svg.ts.
 *
 * ```ts
 * import assert from "node:assert/strict";
 * import { svgOf } from "./svg.ts";
 *
 * const svg = await svgOf(lineChart({
 *   title: "Learning rate",
 *   x: { title: "learning rate", scale: "log" },
 *   y: { title: "loss" },
 *   series: [{ name: "loss", points: [[1e-4, 2.3], [1e-3, 1.9], [1e-2, 3.5]] }],
 *   marks: [{ x: 1e-3, label: "suggested 0.001" }],
 * }));
 * assert.match(svg, /suggested 0.001/);
 * ```
 */
export function lineChart(chart: LineChart): View {
  const { title, subtitle, x, y, marks = [], width = 520, height = 260 } = chart;
  const series = chart.series.map((one, i) => ({
    ...one,
    colour: one.colour ?? PALETTE[i % PALETTE.length]!,
    points: one.points.filter(([px, py]) => shown(px, x) && (!Number.isFinite(py) || shown(py, y))),
  })).filter(({ points }) => points.length > 0);
  const names = series.map(({ name }) => name);
  const values = series.flatMap(({ name, points, dashed }) =>
    points.map(([px, py]) => ({ series: name, x: px, y: Number.isFinite(py) ? py : null, dashed: !!dashed }))
  );
  const few = series.every(({ points }) => points.length <= FEW);
  const ys = values.flatMap(({ y }) => y ?? []);
  const [low, high] = y.domain ?? extent(y.zero ? [0, ...ys] : ys);
  const domain = y.share ? [Math.max(0, low), Math.min(1, high)] as const : [low, high] as const;
  const labels = spread(
    series.flatMap(({ name, points }) => {
      const last = points.findLast(([, py]) => Number.isFinite(py));
      return last ? [{ series: name, x: last[0], y: last[1] }] : [];
    }),
    domain,
    LABEL / height,
    y.scale === "log",
  );
  const colour = {
    field: "series",
    type: "nominal",
    legend: null,
    scale: { domain: names, range: series.map(({ colour }) => colour) },
  };
  const at = {
    x: { field: "x", type: "quantitative", ...axisOf(x) },
    y: { field: "y", type: "quantitative", ...axisOf({ ...y, domain }) },
  };
  const lines = {
    data: { values },
    mark: { type: "line", strokeWidth: 2, ...few ? { point: { size: 22 } } : {} },
    encoding: {
      ...at,
      color: colour,
      ...series.some(({ dashed }) => dashed)
        ? {
          strokeDash: {
            field: "dashed",
            type: "nominal",
            legend: null,
            scale: { domain: [false, true], range: [[1, 0], [5, 4]] },
          },
        }
        : {},
    },
  };
  const ends = {
    data: { values: labels },
    mark: { type: "text", align: "left", dx: 8, fontWeight: 600, clip: false },
    encoding: { ...at, text: { field: "series", type: "nominal" }, color: colour },
  };
  const layers: View[] = [lines];
  if (names.length > 1) layers.push(ends);
  if (marks.length > 0) layers.push(...marked(marks, at.x));
  return {
    title: { text: title, ...subtitle === undefined ? {} : { subtitle } },
    width,
    height,
    layer: layers,
  };
}

function marked(marks: NonNullable<LineChart["marks"]>, x: View): View[] {
  const data = { values: marks };
  return [
    { data, mark: { type: "rule", strokeDash: [4, 4], color: "#5f6368" }, encoding: { x } },
    {
      data,
      mark: { type: "text", align: "left", baseline: "top", dx: 5, y: 2 },
      encoding: { x, text: { field: "label", type: "nominal" } },
    },
  ];
}

function shown(value: number, { scale }: Axis): boolean {
  return Number.isFinite(value) && (scale !== "log" || value > 0);
}

function axisOf({ title, scale = "linear", share, format, domain, zero = false, whole = false }: Axis): View {
  const own: Record<string, unknown> = scale === "log"
    ? { format: format ?? "~e", tickCount: 6 }
    : share
    ? { format: "%" }
    : format === undefined
    ? {}
    : { format };
  if (whole) Object.assign(own, { format: "d", tickMinStep: 1 });
  return {
    title,
    // Nice ends of a logarithmic axis are whole decades, mostly empty.
    scale: {
      type: scale,
      nice: !whole && scale !== "log",
      ...scale === "log" ? {} : { zero },
      ...domain ? { domain } : {},
    },
    axis: own,
  };
}

function extent(values: readonly number[]): [number, number] {
  const low = values.reduce((a, b) => Math.min(a, b), Infinity);
  const high = values.reduce((a, b) => Math.max(a, b), -Infinity);
  if (!(low <= high)) return [0, 1];
  return low === high ? [low - Math.abs(low) / 2 - 1e-3, high + Math.abs(high) / 2 + 1e-3] : [low, high];
}

interface Label {
  readonly series: string;
  readonly x: number;
  readonly y: number;
}

/** Moves labels apart that would lie on each other, or on what is below and above: `least` is a label's share of the axis. */
function spread(
  labels: readonly Label[],
  [low, high]: readonly [number, number],
  least: number,
  logarithmic: boolean,
): Label[] {
  const scale = logarithmic ? Math.log : (value: number) => value;
  const back = logarithmic ? Math.exp : (value: number) => value;
  const span = scale(high) - scale(low);
  const sorted = labels.map((label) => ({ label, at: (scale(label.y) - scale(low)) / span }))
    .sort((a, b) => a.at - b.at);
  /** The middle of a pile of labels, as near to where these belong as the axis has room. */
  const middleOf = (items: typeof sorted) => {
    const half = items.length * least / 2;
    return Math.max(half, Math.min(1 - half, items.reduce((sum, { at }) => sum + at, 0) / items.length));
  };
  // Upwards from the lowest; piles that touch become one.
  const piles: { items: typeof sorted; at: number }[] = [];
  for (const item of sorted) {
    piles.push({ items: [item], at: middleOf([item]) });
    for (;;) {
      const [below, above] = piles.slice(-2);
      if (!above || !below || piles.length < 2) break;
      const gap = (below.items.length + above.items.length) / 2 * least;
      if (above.at - below.at >= gap) break;
      const items = [...below.items, ...above.items];
      piles.splice(-2, 2, { items, at: middleOf(items) });
    }
  }
  return piles.flatMap(({ items, at }) =>
    items.map(({ label }, i) => {
      const place = at + (i - (items.length - 1) / 2) * least;
      return { ...label, y: back(scale(low) + place * span) };
    })
  );
}
