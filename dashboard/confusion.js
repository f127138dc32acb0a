// @ts-check
/// <reference lib="dom" />
/**
 * The confusion matrix on a canvas, which holds ten classes as well as a thousand, and its worst pairs in words.
 *
 * @import { State } from "./protocol.ts"
 */
import { byId, element } from "./facts.js";
import * as format from "./format.js";

const PAIRS = 8;
/** Cells smaller than this have no number in them, rows lower than that no label. */
const CELL_FOR_NUMBER = 20;
const ROW_FOR_LABEL = 11;
/** Space for the axes' titles. */
const TITLE = 20;
/** The most of the picture's side that a label takes. */
const MOST_FOR_LABELS = 0.22;

/** @param {State} state */
export function drawConfusion({ run, confusion }) {
  const { classes } = run;
  const { counts, epoch, seen, total, right } = confusion;
  byId("confusion-figures").hidden = epoch === 0;
  if (epoch === 0) return;
  const hint = `Epoch ${epoch}: ${format.whole(right)} of ${format.whole(seen)} test images right` +
    (seen < total ? `, ${format.whole(total - seen)} to go` : "") +
    ". Shade: share of the row.";
  byId("confusion-hint").textContent = hint;
  const canvas = /** @type {HTMLCanvasElement} */ (byId("confusion"));
  paint(canvas, classes, counts);
  const pairs = mistakes(counts).slice(0, PAIRS);
  const words = pairs.map(({ truth, predicted, count }) => ({
    text: `${classes[truth]} as ${classes[predicted]}`,
    count,
  }));
  canvas.setAttribute(
    "aria-label",
    `${hint} Most often mistaken: ${
      words.map(({ text, count }) => `${text} ${count} times`).join(", ") || "none"
    }`,
  );
  byId("mistakes").replaceChildren(
    ...words.map(({ text, count }) => {
      const number = element("span", format.whole(count));
      number.className = "count";
      return element("li", element("span", text), number);
    }),
  );
}

/** Wrong pairs, the most frequent first. @param {readonly number[]} counts */
function mistakes(counts) {
  const pairs = [];
  for (let i = 0; i < counts.length; i += 3) {
    const [truth, predicted, count] = [counts[i] ?? 0, counts[i + 1] ?? 0, counts[i + 2] ?? 0];
    if (truth !== predicted) pairs.push({ truth, predicted, count });
  }
  return pairs.sort((a, b) => b.count - a.count);
}

/** @param {HTMLCanvasElement} canvas @param {readonly string[]} classes @param {readonly number[]} counts */
function paint(canvas, classes, counts) {
  const context = canvas.getContext("2d");
  if (!context) return;
  const style = getComputedStyle(canvas);
  const colour = (/** @type {string} */ name) => style.getPropertyValue(name).trim();
  const side = canvas.clientWidth;
  const scale = devicePixelRatio;
  canvas.width = canvas.height = Math.round(side * scale);
  context.scale(scale, scale);
  context.font = `12px ${style.fontFamily}`;
  context.textBaseline = "middle";

  const width = (/** @type {string} */ text) => context.measureText(text).width;
  const most = side * MOST_FOR_LABELS;
  const widest = Math.max(...classes.map(width));
  const labels = Math.min(widest, most) + 6;
  const withLabels = (side - TITLE - labels) / classes.length >= ROW_FOR_LABEL;
  const left = TITLE + (withLabels ? labels : 0);
  const cell = (side - left) / classes.length;
  const top = left;

  const rows = new Map();
  for (let i = 0; i < counts.length; i += 3) {
    rows.set(counts[i], (rows.get(counts[i]) ?? 0) + (counts[i + 2] ?? 0));
  }
  context.fillStyle = colour("--grid");
  context.fillRect(left, top, side - left, side - top);
  const gap = cell > 8 ? 1 : 0;
  context.fillStyle = colour("--card");
  if (gap) {
    for (let i = 1; i < classes.length; i++) {
      context.fillRect(left + i * cell - 1, top, 1, side - top);
      context.fillRect(left, top + i * cell - 1, side - left, 1);
    }
  }
  context.textAlign = "center";
  const [right, wrong, ground] = [colour("--right"), colour("--wrong"), colour("--ground")];
  for (let i = 0; i < counts.length; i += 3) {
    const [truth, predicted, count] = [counts[i] ?? 0, counts[i + 1] ?? 0, counts[i + 2] ?? 0];
    const share = count / rows.get(truth);
    // The root lets few mistakes be seen beside many right ones.
    const shade = 0.12 + 0.88 * Math.sqrt(share);
    const hue = truth === predicted ? right : wrong;
    context.fillStyle = `rgb(${hue} / ${shade})`;
    const [x, y] = [left + predicted * cell, top + truth * cell];
    context.fillRect(x, y, Math.max(cell - gap, 1), Math.max(cell - gap, 1));
    if (cell < CELL_FOR_NUMBER) continue;
    context.fillStyle = inkOn(hue, ground, shade);
    context.fillText(String(count), x + cell / 2, y + cell / 2, cell - 3);
  }

  context.fillStyle = colour("--soft");
  const middle = left + (side - left) / 2;
  context.fillText("predicted", middle, TITLE / 2 - 2);
  turned(context, TITLE / 2 - 2, middle, () => context.fillText("true", 0, 0));
  if (!withLabels) return;
  classes.forEach((whole, i) => {
    const name = shortened(whole, most, width);
    const centre = left + (i + 0.5) * cell;
    context.textAlign = "right";
    context.fillText(name, left - 5, centre);
    if (widest < cell) {
      context.textAlign = "center";
      context.fillText(name, centre, top - 10);
    } else {
      context.textAlign = "left";
      turned(context, centre, top - 5, () => context.fillText(name, 0, 0));
    }
  });
}

/** Of black and white the one that is read more easily on a colour over a ground, by WCAG's contrast. */
function inkOn(
  /** @type {string} */ colour,
  /** @type {string} */ ground,
  /** @type {number} */ shade,
) {
  const parts = (/** @type {string} */ text) => text.split(" ").map(Number);
  const below = parts(ground);
  const [red = 0, green = 0, blue = 0] = parts(colour).map((part, i) => {
    const mixed = (shade * part + (1 - shade) * (below[i] ?? 0)) / 255;
    return mixed <= 0.04045 ? mixed / 12.92 : ((mixed + 0.055) / 1.055) ** 2.4;
  });
  const luminance = 0.2126 * red + 0.7152 * green + 0.0722 * blue;
  return luminance > 0.179 ? "#000" : "#fff";
}

/**
 * The text, or its beginning and end with `…` between them: names differ at their ends.
 * @param {string} text @param {number} most @param {(text: string) => number} width
 */
function shortened(text, most, width) {
  const letters = [...text];
  let shown = text;
  for (let keep = letters.length - 1; keep > 1 && width(shown) > most; keep--) {
    const end = Math.floor(keep / 2);
    shown = `${letters.slice(0, keep - end).join("")}…${letters.slice(letters.length - end).join("")}`;
  }
  return shown;
}

/** Draws with the paper turned a quarter, around a point. */
function turned(
  /** @type {CanvasRenderingContext2D} */ context,
  /** @type {number} */ x,
  /** @type {number} */ y,
  /** @type {() => void} */ draw,
) {
  context.save();
  context.translate(x, y);
  context.rotate(-Math.PI / 2);
  draw();
  context.restore();
}
