// @ts-check
/// <reference lib="dom" />
/**
 * The curves, drawn by uPlot.
 *
 * @import { State } from "./protocol.ts"
 * @import uPlotType from "uplot"
 * @import { AlignedData, Options, Series } from "uplot"
 */
import { byId } from "./facts.js";
import * as format from "./format.js";

const uPlot = /** @type {{ uPlot: typeof uPlotType }} */ (/** @type {unknown} */ (globalThis)).uPlot;

/** Columns of the history's rows. */
const TIME = 0, LOSS = 1, ACCURACY = 2, LR = 3, SPEED = 4;

/** Smoothing covers this share of all points, and at least this many. */
const SMOOTH_SHARE = 1 / 40;
const SMOOTH_LEAST = 8;

/** Heights of the charts, in pixels. */
const TALL = 240, LOW = 190;

/** @type {Map<string, uPlotType>} */
const charts = new Map();

/** @param {State} state */
export function drawCharts(state) {
  drawCurves(state);
  const column = (/** @type {number} */ index) => state.history.rows.map((row) => row[index] ?? null);
  const time = column(TIME).map((at) => at ?? 0);
  const rates = column(LR);
  draw("lr", [time, rates], { range: [0, 1.08 * Math.max(...known(rates), 0) || 1], value: format.rate });
  byId("lr").setAttribute("aria-label", `Learning rate, ${format.rate(rates.at(-1))} now`);
  const speeds = column(SPEED);
  draw("speed", [time, speeds], {
    range: [0, 1.15 * Math.max(...known(speeds), 0) || 1],
    value: format.speed,
  });
  byId("speed").setAttribute("aria-label", `Images a second, ${format.speed(speeds.at(-1))} now`);
}

/** Loss and accuracy or precision, in training and on the test images. @param {Pick<State, "run" | "history" | "epochs">} state */
export function drawCurves(state) {
  const { history: { rows }, epochs } = state;
  const time = rows.map((row) => row[TIME] ?? 0);
  const column = (/** @type {number} */ index) => rows.map((row) => row[index] ?? null);
  const ends = epochs.map(({ epoch = 0 }) => epoch);

  const losses = column(LOSS);
  const smoothLoss = smooth(losses);
  const train = epochs.map(({ train_loss }) => train_loss ?? null);
  const test = epochs.map(({ test_loss }) => test_loss ?? null);
  // A run's first steps, or a rare bad one, may be far above all others, which are to be seen.
  const most = known(losses).sort((a, b) => a - b)[Math.floor(0.98 * losses.length)] ?? 0;
  const ceiling = 1.08 * Math.max(most, ...known(train), ...known(test)) || 1;
  // A detector's falls by a hundred times in its first epochs: what follows shows on a logarithmic axis only.
  const isLog = state.run.kind === "boxes";
  const least = Math.min(...[losses, train, test].flatMap(known).filter((loss) => loss > 0), ceiling);
  draw("loss", join(time, [losses, smoothLoss], ends, [train, test]), {
    range: [isLog ? 0.9 * least : 0, ceiling],
    log: isLog,
    value: format.loss,
  });
  say("loss", smoothLoss, test, format.loss);

  if (state.run.kind === "boxes") drawPrecisions(state);
  else drawAccuracies(state, time, ends, column(ACCURACY));
}

/** @type {Look} */
const share = { range: [0, 1], value: format.percent, tick: (value) => `${Math.round(100 * value)} %` };

/** @param {Pick<State, "epochs">} state @param {number[]} time @param {number[]} ends @param {(number | null)[]} accuracies */
function drawAccuracies({ epochs }, time, ends, accuracies) {
  const smoothAccuracy = smooth(accuracies);
  const trainAccuracy = epochs.map(({ train_accuracy }) => train_accuracy ?? null);
  const testAccuracy = epochs.map(({ test_accuracy }) => test_accuracy ?? null);
  draw("accuracy", join(time, [accuracies, smoothAccuracy], ends, [trainAccuracy, testAccuracy]), share);
  say("accuracy", smoothAccuracy, testAccuracy, format.percent);
}

/** Of the test images: a detector has no such figure in training. @param {Pick<State, "epochs">} state */
function drawPrecisions({ epochs }) {
  if (epochs.length === 0) return;
  const at50 = epochs.map(({ test_map50 }) => test_map50 ?? null);
  const mean = epochs.map(({ test_map50_95 }) => test_map50_95 ?? null);
  draw("accuracy", [epochs.map(({ epoch = 0 }) => epoch), at50, mean], share);
  byId("accuracy").setAttribute(
    "aria-label",
    `Curve of the mean average precision: ${
      format.percent(at50.at(-1))
    } at an IoU of 0.5 after epoch ${epochs.length}`,
  );
}

/** The next are drawn all anew: the colours or the width have changed, or the run. */
export function forgetCharts() {
  for (const chart of charts.values()) chart.destroy();
  charts.clear();
}

/**
 * What a chart has: of four series steps, smoothed, epochs' training and test; of two mAPs; or one line.
 * @typedef {{ range: [number, number], log?: boolean, value: (value: number | null | undefined) => string,
 *   tick?: (value: number) => string }} Look
 */

/** @param {string} id @param {AlignedData} data @param {Look} look */
function draw(id, data, look) {
  const chart = charts.get(id);
  const last = data[0].at(-1) ?? 0;
  looks.set(id, look);
  ends.set(id, last || 1);
  if (chart) chart.setData(data);
  else charts.set(id, create(id, data));
}

/** @type {Map<string, Look>} */
const looks = new Map();
/** Where each time axis ends. @type {Map<string, number>} */
const ends = new Map();

/** @param {string} id @param {AlignedData} data */
function create(id, data) {
  const place = byId(id);
  const style = getComputedStyle(place);
  const colour = (/** @type {string} */ name) => style.getPropertyValue(name).trim();
  const font = `12px ${style.fontFamily}`;
  const wide = data.length > 2;
  const axis = {
    stroke: colour("--soft"),
    font,
    labelFont: font,
    grid: { stroke: colour("--grid"), width: 1 },
    ticks: { show: false },
  };
  /** The value under the cursor, else the newest. @type {Series["value"]} */
  const value = (chart, at, series) => {
    const shown = at ?? Array.from(chart.data[series] ?? []).findLast((item) => item != null);
    return looks.get(id)?.value(shown) ?? "";
  };
  const points = { show: true, size: 6 };
  // A line of one point would not be seen.
  const firstPoint = { show: (/** @type {uPlotType} */ chart) => chart.data[0].length === 1, size: 6 };
  const perEpoch = { width: 2, points, spanGaps: true, value };
  /** @type {Series[]} */
  const lines = data.length === 3
    ? [
      { label: "mAP@0.5", stroke: colour("--test"), ...perEpoch },
      { label: "mAP@0.5–0.95", stroke: colour("--train"), ...perEpoch },
    ]
    : wide
    ? [
      { label: "each step", stroke: colour("--train-faint"), width: 1, points: { show: false }, value },
      { label: "training, smoothed", stroke: colour("--train"), width: 2, points: firstPoint, value },
      {
        label: "training, whole epoch",
        stroke: colour("--train"),
        width: 1.5,
        dash: [5, 4],
        points,
        spanGaps: true,
        value,
      },
      { label: "test", stroke: colour("--test"), width: 2, points, spanGaps: true, value },
    ]
    : [{
      label: id === "lr" ? "learning rate" : "images a second",
      stroke: colour("--train"),
      width: 2,
      points: firstPoint,
      value,
    }];
  /** @type {Options} */
  const options = {
    width: place.clientWidth,
    height: wide ? TALL : LOW,
    legend: { show: wide, markers: { width: 0, fill: (_, at) => marker(lines[at - 1]) } },
    cursor: { y: false, drag: { x: false, y: false } },
    scales: {
      x: { time: false, range: () => [0, ends.get(id) ?? 1] },
      y: { range: () => looks.get(id)?.range ?? [0, 1], distr: looks.get(id)?.log ? 3 : 1 },
    },
    axes: [
      { ...axis, label: "epoch", labelSize: 18, size: 26 },
      {
        ...axis,
        size: 56,
        values: (_, ticks) => ticks.map((tick) => looks.get(id)?.tick?.(tick) ?? format.rate(tick)),
        ...looks.get(id)?.log
          ? { splits: (_, _axis, least, most) => logTicks(least, most), filter: (_, ticks) => ticks }
          : {},
      },
    ],
    series: [{ label: "epoch", value: (_, at) => at == null ? "" : at.toFixed(2) }, ...lines],
  };
  return new uPlot(options, data, place);
}

/** 1, 2, 5, 10, 20, … @param {number} least @param {number} most */
function logTicks(least, most) {
  const ticks = [];
  for (let power = Math.floor(Math.log10(least)); power <= Math.log10(most); power++) {
    ticks.push(...[1, 2, 5].map((digit) => Number(`${digit}e${power}`)));
  }
  return ticks.filter((tick) => tick >= least && tick <= most);
}

/** A line's piece in the legend, as CSS: without its dashes it would be another line's. @param {Series | undefined} line */
function marker(line) {
  const { stroke, dash } = line ?? {};
  if (!dash) return String(stroke);
  return `repeating-linear-gradient(90deg, ${stroke} 0 5px, transparent 5px 8px)`;
}

/**
 * Two sets of series with times of their own, on one axis.
 * @param {number[]} time @param {(number | null)[][]} lines @param {number[]} ends @param {(number | null)[][]} perEpoch
 * @returns {AlignedData}
 */
function join(time, lines, ends, perEpoch) {
  return uPlot.join(
    [/** @type {AlignedData} */ ([time, ...lines]), /** @type {AlignedData} */ ([ends, ...perEpoch])],
  );
}

/** Exponential, without the start's bias towards 0. @param {(number | null)[]} values */
function smooth(values) {
  const keep = 1 - 1 / Math.max(SMOOTH_LEAST, values.length * SMOOTH_SHARE);
  let sum = 0;
  let weight = 0;
  return values.map((value) => {
    if (value == null) return weight > 0 ? sum / weight : null;
    sum = keep * sum + (1 - keep) * value;
    weight = keep * weight + 1 - keep;
    return sum / weight;
  });
}

/** @param {(number | null)[]} values @returns {number[]} */
function known(values) {
  return values.filter((value) => value != null);
}

/** A chart in words. @param {string} id @param {(number | null)[]} smoothed @param {(number | null)[]} test @param {(value?: number | null) => string} value */
function say(id, smoothed, test, value) {
  const tested = test.length > 0
    ? `, ${value(test.at(-1))} on the test images after epoch ${test.length}`
    : "";
  byId(id).setAttribute("aria-label", `Curve of the ${id}: ${value(smoothed.at(-1))} in training${tested}`);
}
