// @ts-check
/// <reference lib="dom" />
/**
 * What a detector's page has instead of a classifier's: boxes on the pictures, and how good it is at each class.
 *
 * @import { ShownBox, State } from "./protocol.ts"
 */
import { byId, element } from "./facts.js";
import * as format from "./format.js";

const SVG = "http://www.w3.org/2000/svg";

/**
 * A picture with what is there and what was found drawn over it.
 * @param {HTMLElement} picture @param {readonly ShownBox[]} truth @param {readonly ShownBox[]} found
 */
export function boxed(picture, truth, found) {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("viewBox", "0 0 1 1");
  svg.setAttribute("preserveAspectRatio", "none");
  svg.setAttribute("aria-hidden", "true");
  const draw =
    (/** @type {string} */ kind) => (/** @type {ShownBox} */ { box: [left, top, right, bottom] }) => {
      const rect = document.createElementNS(SVG, "rect");
      const places = { x: left, y: top, width: right - left, height: bottom - top };
      for (const [name, value] of Object.entries(places)) rect.setAttribute(name, String(value));
      rect.setAttribute("class", kind);
      return rect;
    };
  svg.append(...truth.map(draw("there")), ...found.map(draw("found")));
  const made = element("div", picture, svg);
  made.className = "boxed";
  return made;
}

/**
 * What is there: each class once, with how many; or what was found: each box with its confidence.
 * @param {readonly string[]} classes @param {readonly ShownBox[]} boxes
 */
export function boxesText(classes, boxes) {
  const name = (/** @type {number} */ label) => classes[label] ?? "?";
  /** @type {Map<number, number>} */
  const counts = new Map();
  const found = boxes.flatMap(({ label, score }) => {
    if (score !== undefined) return [`${name(label)} ${format.percent(score, 0)}`];
    counts.set(label, (counts.get(label) ?? 0) + 1);
    return [];
  });
  const there = Array.from(
    counts,
    ([label, count]) => count === 1 ? name(label) : `${count} × ${name(label)}`,
  );
  return [...there, ...found].join(", ") || "nothing";
}

/** The classes with their average precision. @param {State} state */
export function drawPrecision({ run, precision }) {
  if (precision.epoch === 0) return;
  byId("precision-hint").textContent =
    `At an IoU of 0.5, of all test images, after epoch ${precision.epoch}.`;
  const rows = precision.classes.map(({ ap, objects }, label) => {
    const line = element(
      "tr",
      element("th", run.classes[label] ?? "?"),
      element("td", format.percent(ap)),
      element("td", format.whole(objects)),
    );
    line.firstElementChild?.setAttribute("scope", "row");
    return line;
  });
  byId("precision").replaceChildren(...rows);
}
