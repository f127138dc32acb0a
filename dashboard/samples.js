// @ts-check
/// <reference lib="dom" />
/**
 * A few test images with what the network takes them for.
 *
 * @import { RunFacts, Sample, ShownImage, State } from "./protocol.ts"
 */
import { boxed, boxesText } from "./boxes.js";
import { byId, element } from "./facts.js";
import * as format from "./format.js";

/** Pictures smaller than this are shown with their pixels sharp. */
const TINY = 64;

/** The pictures that are shown, to be fetched once only. @type {Map<number, HTMLImageElement>} */
const pictures = new Map();
let shownRun = "";

/** @param {State} state */
export function drawSamples({ run, samples }) {
  const key = JSON.stringify(run.samples) + run.title;
  if (key !== shownRun) pictures.clear();
  shownRun = key;
  const answers = new Map(samples.map((sample) => [sample.index, sample]));
  const items = run.samples.map((shown) => {
    const sample = answers.get(shown.index);
    return "boxes" in shown ? boxItem(run, shown, sample) : classItem(run, shown, sample);
  });
  byId("samples").replaceChildren(...items);
  const epoch = Math.max(0, ...samples.map((sample) => sample.epoch));
  if (epoch > 0) byId("samples-hint").textContent = `Of ${items.length} test images, after epoch ${epoch}`;
}

/**
 * An image with what it was taken for.
 * @param {RunFacts} run @param {Extract<ShownImage, { label: number }>} shown @param {Sample | undefined} sample
 */
function classItem(run, shown, sample) {
  const { label } = shown;
  const truth = run.classes[label] ?? "?";
  const item = element("li", picture(shown, truth));
  if (!sample || !("predicted" in sample)) {
    item.append(verdict("", "–"), truthLine(truth));
    return item;
  }
  const right = sample.predicted === label;
  item.className = right ? "right" : "wrong";
  const mark = verdict(
    right ? "✓" : "✗",
    run.classes[sample.predicted] ?? "?",
  );
  mark.firstElementChild?.setAttribute("aria-label", right ? "right:" : "wrong:");
  mark.firstElementChild?.setAttribute("role", "img");
  const meter = /** @type {HTMLMeterElement} */ (element("meter"));
  meter.value = sample.probability;
  meter.setAttribute("aria-hidden", "true");
  const share = element("div", meter, format.percent(sample.probability, 0));
  share.className = "share";
  item.append(mark, share, truthLine(truth));
  return item;
}

/**
 * An image with what was found in it.
 * @param {RunFacts} run @param {Extract<ShownImage, { boxes: unknown }>} shown @param {Sample | undefined} sample
 */
function boxItem(run, shown, sample) {
  const truth = boxesText(run.classes, shown.boxes);
  const found = sample && "boxes" in sample ? sample.boxes : undefined;
  const text = found ? boxesText(run.classes, found) : "–";
  const drawn = boxed(picture(shown, truth), shown.boxes, found ?? []);
  return element("li", drawn, verdict("", text), truthLine(truth));
}

/** @param {ShownImage} shown @param {string} truth */
function picture({ index, picture: address = `samples/${index}.bmp` }, truth) {
  const known = pictures.get(index);
  if (known) return known;
  const image = new Image();
  // Counted from 1, as in the run's pictures.
  image.alt = `Test image ${index + 1}: ${truth}`;
  image.addEventListener("load", () => image.classList.toggle("tiny", image.naturalWidth < TINY));
  image.src = address;
  pictures.set(index, image);
  return image;
}

/** @param {string} mark @param {string} predicted */
function verdict(mark, predicted) {
  const sign = element("span", mark);
  sign.className = "mark";
  const made = element("div", sign, element("span", predicted));
  made.className = "verdict";
  made.title = predicted;
  return made;
}

/** @param {string} truth */
function truthLine(truth) {
  const made = element("div", `true: ${truth}`);
  made.className = "truth";
  made.title = truth;
  return made;
}
