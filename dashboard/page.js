// @ts-check
/// <reference lib="dom" />
/**
 * Keeps the state that the server sends, and draws the parts that have changed. Where the server goes away, the page keeps
 * what it has and connects again.
 *
 * @import { State } from "./protocol.ts"
 */
import { drawPrecision } from "./boxes.js";
import { drawCharts, forgetCharts } from "./charts.js";
import { drawConfusion } from "./confusion.js";
import { drawEpochs, drawFacts, drawPosition, drawTiles, showStatus } from "./facts.js";
import { drawSamples } from "./samples.js";

/** @type {State | undefined} */
let state;
/** Parts that were not drawn while nobody looked. @type {Set<string>} */
const waiting = new Set();

const ended = () => state && !["training", "testing"].includes(state.status.phase);

/** @param {Partial<State>} update @param {boolean} whole */
function take(update, whole) {
  const rows = whole ? [] : state?.history.rows ?? [];
  const history = update.history && {
    ...update.history,
    rows: [...rows.slice(0, update.history.from), ...update.history.rows],
  };
  state = /** @type {State} */ ({ ...state, ...update, ...(history ? { history } : {}) });
  for (const part of Object.keys(update)) waiting.add(part);
  draw();
}

/** Draws what has changed; a page in the background waits until it is looked at. */
function draw() {
  if (!state || document.hidden) return;
  const has = (/** @type {string[]} */ ...parts) => parts.some((part) => waiting.has(part));
  // What is for the other kind of network is hidden.
  document.body.dataset.kind = state.run.kind;
  if (has("run")) drawFacts(state);
  if (has("run", "status", "now")) {
    showStatus(state.status.phase, state.status.text);
    drawPosition(state);
    drawTiles(state);
  }
  if (has("history", "epochs")) drawCharts(state);
  if (has("run", "epochs")) drawEpochs(state);
  if (has("run", "confusion")) drawConfusion(state);
  if (has("run", "precision")) drawPrecision(state);
  if (has("run", "samples")) drawSamples(state);
  waiting.clear();
}

function connect() {
  const source = new EventSource("events");
  source.addEventListener("snapshot", ({ data }) => take(JSON.parse(data), true));
  source.addEventListener("update", ({ data }) => take(JSON.parse(data), false));
  source.addEventListener("error", () => {
    if (!ended()) {
      showStatus("lost", "The connection to the run is lost: what you see is its last state. Trying again…");
    }
    // Most browsers try again by themselves, but not after every kind of failure.
    if (source.readyState !== EventSource.CLOSED) return;
    setTimeout(connect, 5000);
  });
}

document.addEventListener("visibilitychange", draw);
const redraw = () => {
  if (!state) return;
  forgetCharts();
  drawCharts(state);
  drawConfusion(state);
};
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", redraw);
let width = innerWidth;
addEventListener("resize", () => {
  if (innerWidth !== width) redraw();
  width = innerWidth;
});
connect();
