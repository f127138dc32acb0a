// @ts-check
/// <reference lib="dom" />
/**
 * The page's words and figures.
 *
 * @import { State } from "./protocol.ts"
 */
import * as format from "./format.js";

const PHASES = {
  training: "Training",
  testing: "Testing",
  paused: "Paused",
  finished: "Finished",
  stopped: "Stopped",
  failed: "Failed",
  lost: "Connection lost",
};

/** @param {string} id */
export function byId(id) {
  return /** @type {HTMLElement} */ (document.getElementById(id));
}

/** An element with text, or with others inside. @param {string} name @param {...(string | Node)} content */
export function element(name, ...content) {
  const made = document.createElement(name);
  made.append(...content);
  return made;
}

/** @param {keyof PHASES} phase @param {string} text */
export function showStatus(phase, text) {
  const status = byId("status");
  if (status.dataset.phase !== phase) {
    status.dataset.phase = phase;
    byId("phase").textContent = PHASES[phase];
  }
  const notice = byId("notice");
  notice.hidden = text === "";
  if (notice.textContent !== text) notice.textContent = text;
}

/**
 * How much of the run is done: of its steps, or of its time where that ends it earlier. @param {Pick<State, "run" | "status" | "now">} state
 */
export function shareDone({ run, status, now }) {
  if (status.phase === "finished") return 1;
  const steps = ((now.epoch - 1) * run.steps + now.step) / (run.epochs * run.steps);
  return now.seconds_left === null ? steps : Math.max(steps, now.seconds / (now.seconds + now.seconds_left));
}

/** @param {State} state */
export function drawPosition(state) {
  const { run, status, now, confusion } = state;
  const progress = /** @type {HTMLProgressElement} */ (byId("progress"));
  progress.value = shareDone(state);
  const epoch = `Epoch ${Math.min(now.epoch, run.epochs)} of ${run.epochs}`;
  byId("position").textContent = status.phase === "testing"
    ? `${epoch} · test image ${format.whole(confusion.seen)} of ${format.whole(confusion.total)}`
    : `${epoch} · step ${format.whole(now.step)} of ${format.whole(run.steps)}`;
  document.title = `${Math.floor(100 * progress.value)} % · ${run.title}`;
}

/** @param {State} state */
export function drawTiles({ run, status, now, epochs }) {
  const last = epochs.at(-1);
  const best = epochs.reduce((found, row) => scoreOf(row) > scoreOf(found) ? row : found, last);
  const isDetector = run.kind === "boxes";
  const running = status.phase === "training" || status.phase === "testing";
  /** @type {[string, string, string][]} */
  const tiles = [
    ["Training loss", format.loss(now.loss), now.loss == null ? "" : "of the last step"],
    isDetector ? ["Test loss", format.loss(last?.test_loss), ""] : [
      "Training accuracy",
      format.percent(now.accuracy),
      now.accuracy == null ? "" : "of the epoch so far",
    ],
    [
      isDetector ? "Test mAP@0.5" : "Test accuracy",
      last ? format.percent(scoreOf(last)) : format.percent(null),
      best ? `best ${format.percent(scoreOf(best))} in epoch ${best.epoch}` : "after the first epoch",
    ],
    ["Learning rate", format.rate(now.lr), ""],
    [
      "Images a second",
      format.speed(now.images_per_second),
      last?.data_wait == null ? "" : `data wait ${format.percent(last.data_wait, 1)}`,
    ],
    running
      ? ["Time left", format.duration(now.seconds_left), `${format.duration(now.seconds)} so far`]
      : ["Time", format.duration(now.seconds), epochs.length === 1 ? "1 epoch" : `${epochs.length} epochs`],
  ];
  byId("tiles").replaceChildren(
    ...tiles.map(([name, value, note]) =>
      element("div", element("dt", name), element("dd", value, element("small", note)))
    ),
  );
}

/** @param {State} state */
export function drawFacts({ run }) {
  byId("title").textContent = run.title;
  byId("facts").replaceChildren(
    ...run.facts.flatMap(([name, value]) => [element("dt", name), element("dd", value)]),
  );
}

/** What an epoch is best by; −1 where it is not known. @param {State["epochs"][number] | undefined} row */
function scoreOf(row) {
  return row?.test_map50 ?? row?.test_accuracy ?? -1;
}

/** The newest epoch first. @param {State} state */
export function drawEpochs({ run, epochs }) {
  const highest = Math.max(...epochs.map(scoreOf));
  const rows = epochs.map((row) => {
    const line = element(
      "tr",
      element("th", String(row.epoch)),
      ...[
        format.loss(row.train_loss),
        ...run.kind === "boxes" ? [] : [format.percent(row.train_accuracy)],
        format.loss(row.test_loss),
        format.percent(row.test_map50 ?? row.test_accuracy),
        format.speed(row.images_per_second),
        format.duration(row.seconds),
      ].map((text) => element("td", text)),
    );
    line.firstElementChild?.setAttribute("scope", "row");
    const [score, speed] = Array.from(line.children).slice(-3);
    score?.classList.add("score");
    speed?.classList.add("speed");
    if (scoreOf(row) === highest) line.className = "best";
    return line;
  });
  byId("epochs").replaceChildren(...rows.reverse());
}
