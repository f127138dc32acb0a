/// <reference lib="dom" />
/** The page's second part: a network learns the handwritten digits, and the page shows how. */
import { drawCurves, forgetCharts } from "../dashboard/charts.js";
import { drawConfusion } from "../dashboard/confusion.js";
import { drawPosition, drawTiles, showStatus } from "../dashboard/facts.js";
import { drawSamples } from "../dashboard/samples.js";
import { followRun, type RunState } from "../dashboard/run_state.ts";
import type { State } from "../dashboard/protocol.ts";
import { loadDigits } from "../core/data/digits.ts";
import { stepsOf } from "../core/train/progress.ts";
import { createStopwatch } from "../core/train/stopwatch.ts";
import { createTrainer } from "../core/train/trainer.ts";
import type { Device } from "./backends.ts";
import { digitsRun, learners } from "./digits_run.ts";
import { find, kindly, option } from "./dom.ts";

/** Least time between two drawings: they take the thread that also feeds the workers. */
const DRAW_MILLISECONDS = 250;

/** A run that goes on in the page, until it ends or is ended. */
interface Run {
  paused: boolean;
  ended: boolean;
  /** Called when one of these has changed. */
  wake: () => void;
}

/** Draws the run that is shown, if there is one. */
let redraw = () => {};

/** Makes the part work. */
export function startTraining(device: () => Device): void {
  const models = find<HTMLSelectElement>("train-model");
  const rate = find<HTMLInputElement>("rate");
  const start = find<HTMLButtonElement>("start");
  const again = find<HTMLButtonElement>("again");
  models.append(...Array.from(learners.keys(), (name) => option(name, name)));
  let run: Run | undefined;

  function showControls(): void {
    models.disabled = rate.disabled = run !== undefined;
    again.hidden = run === undefined;
    start.hidden = run?.ended ?? false;
    start.textContent = !run ? "Start" : run.paused ? "Go on" : "Pause";
  }

  find<HTMLFormElement>("controls").addEventListener("submit", (event) => {
    event.preventDefault();
    if (run) {
      run.paused = !run.paused;
      run.wake();
    } else void begin();
    showControls();
  });
  again.addEventListener("click", () => {
    if (run) {
      run.ended = true;
      run.wake();
    }
    run = undefined;
    redraw = () => {};
    for (const part of parts()) part.hidden = true;
    find("title").textContent = TITLE;
    document.title = PAGE_TITLE;
    showStatus("paused", "");
    showControls();
  });

  async function begin(): Promise<void> {
    const own: Run = { paused: false, ended: false, wake: () => {} };
    run = own;
    find("status").hidden = false;
    showStatus("training", "");
    try {
      await train(own, device(), models.value, rate.valueAsNumber);
    } catch (error) {
      if (run === own) showStatus("failed", kindly(error));
    }
    own.ended = true;
    showControls();
  }
  showControls();

  const anew = () => {
    forgetCharts();
    redraw();
  };
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", anew);
  let width = innerWidth;
  addEventListener("resize", () => {
    if (innerWidth !== width) anew();
    width = innerWidth;
  });
}

/** Of the part, and of the page, while nothing runs. */
const TITLE = find("title").textContent, PAGE_TITLE = document.title;

/** What is shown of a run alone. */
function parts(): HTMLElement[] {
  return [...document.querySelectorAll<HTMLElement>(".run, #progress, #status, #position")];
}

async function train(run: Run, device: Device, name: string, lr: number): Promise<void> {
  const [data, backend] = await Promise.all([loadDigits(), device.backend()]);
  // While a run starts, it may be ended and another one begun: from then on the page is no longer its own.
  if (run.ended) return;
  const options = digitsRun(backend, data, name, lr);
  const { epochs, batch_size } = options;
  const steps = stepsOf(options);
  const trainer = createTrainer(options);
  try {
    await trainer.initialise();
    if (run.ended) return;
    const state = followRun({
      title: `${name} learns digits on ${device.label}`,
      facts: [],
      test: data.test,
      tested: data.test.labels.length,
      epochs,
      steps,
      before: [],
    });
    const watch = createStopwatch({ batch_size, before: 0, total: epochs * steps, seconds: Infinity });
    const samples = await samplesOf(state);
    if (run.ended) return;
    const page = drawer(state, samples);
    for await (const event of trainer.train()) {
      if (run.ended) return;
      if (event.type === "step") watch.step();
      state.show(event, watch.pace());
      if (event.type === "epoch") watch.startEpoch();
      page.draw();
      if (run.paused) {
        const began = performance.now();
        state.set({ phase: "paused", text: "" });
        page.now();
        while (run.paused && !run.ended) await new Promise<void>((resolve) => run.wake = resolve);
        watch.skip(performance.now() - began);
        if (run.ended) return;
      }
    }
    state.set({ phase: "finished", text: "" });
    page.now();
  } finally {
    trainer.session.dispose();
  }
}

type Samples = State["run"]["samples"];

/** The samples with their pictures. */
function samplesOf(run: RunState): Promise<Samples> {
  return Promise.all(
    run.whole().run.samples.map(async (sample) => {
      const picture = new Blob([(await run.picture(sample.index))!], { type: "image/bmp" });
      return { ...sample, picture: URL.createObjectURL(picture) };
    }),
  );
}

/** Draws a run, now or now and then. */
function drawer(run: RunState, samples: Samples) {
  forgetCharts();
  let drawn = -Infinity;
  for (const part of parts()) part.hidden = false;
  find("title").textContent = run.whole().run.title;

  function now(): void {
    drawn = performance.now();
    const whole = run.whole();
    const state: State = { ...whole, run: { ...whole.run, samples } };
    showStatus(state.status.phase, state.status.text);
    drawPosition(state);
    drawTiles(state);
    drawCurves(state);
    drawConfusion(state);
    drawSamples(state);
  }
  redraw = now;
  return {
    now,
    draw() {
      if (performance.now() - drawn >= DRAW_MILLISECONDS) now();
    },
  };
}
