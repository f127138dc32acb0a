/** What a run shows of itself while it goes on and at its end: pictures in its folder, and values for TensorBoard. */
import { join } from "node:path";
import type { LogRow } from "../core/metrics/log.ts";
import { namedParameters } from "../core/nn/module.ts";
import { histogramOf } from "../core/tensorboard/histogram.ts";
import type { Figures } from "../core/train/task.ts";
import type { StepEvent } from "../core/train/steps.ts";
import { writeAtomically } from "../host/atomic_write.ts";
import type { EventFile } from "../host/event_file.ts";
import { CURVES } from "../host/run_folder.ts";
import type { KeeperOptions } from "./keeper.ts";
import type { EpochEvent, EpochTiming } from "../core/train/log_row.ts";
import { shortName } from "./model.ts";
import { clearLine, isTerminal } from "./terminal.ts";

/** The most of a run's time that goes into pictures before its end. */
const SHARE = 0.01;
/** Values of single steps that TensorBoard gets, an epoch. */
const STEPS = 20;

type Tested = Pick<EpochEvent, "epoch" | "test">;

export interface RunPictures {
  step(event: StepEvent): Promise<void>;
  /** Logs the values; draws only while that takes no noticeable part of the run's time. */
  epoch(event: EpochEvent, timing: EpochTiming): Promise<void>;
  /** Draws what was not drawn yet. */
  finish(): Promise<void>;
  /** Draws the answers of a test, which is then the best. */
  answers(test: Tested): Promise<void>;
}

/** `log` is the run's, which grows. A picture that cannot be drawn is told once and never ends a run. */
export function createRunPictures(
  { trainer, options, config, output }: KeeperOptions,
  log: readonly LogRow[],
): RunPictures {
  const { session, progress } = trainer;
  const name = `${shortName(config.model)} on ${options.data.test.name}`;
  const began = performance.now();
  const first = progress.batches + 1;
  let spent = 0;
  /** What drawing took the last time; at first what it takes to load what draws. */
  let cost = 1500;
  let events: EventFile | undefined;
  let waiting: EpochEvent | undefined;
  /** The epoch whose answers are shown: the best, or the last one where an earlier part of the run has the best. */
  let shown: EpochEvent | undefined;
  let drawnAnswers: Tested | undefined;
  let failed = false;

  async function attempt(what: () => Promise<void>): Promise<void> {
    if (failed) return;
    const start = performance.now();
    try {
      await what();
    } catch (error) {
      failed = true;
      if (isTerminal) clearLine();
      console.error(`Note: pictures of this run are missing: ${(error as Error).message.split("\n", 1)[0]}`);
    }
    spent += performance.now() - start;
  }

  async function eventFile(): Promise<EventFile> {
    // Protocol buffers take a moment to load.
    const { createEventFile } = await import("../host/event_file.ts");
    return events ??= createEventFile(output, first);
  }

  async function draw(): Promise<void> {
    if (!waiting) return;
    waiting = undefined;
    const start = performance.now();
    const [{ svgOf }, { curves }] = await Promise.all([
      import("../core/plot/svg.ts"),
      import("../core/plot/curves.ts"),
    ]);
    const svg = await svgOf(curves(log, name));
    await writeAtomically(join(output, CURVES), new TextEncoder().encode(svg));
    if (shown && shown !== drawnAnswers) await showAnswers(shown);
    const states = [...namedParameters(options.model).keys()].filter((name) =>
      session.stateNames.includes(name)
    );
    const weights = await Promise.all(states.map((name) => session.readState(name)));
    const histograms = new Map(states.map((name, i) => [name, histogramOf(weights[i] as Float32Array)]));
    await (await eventFile()).write(progress.batches, { histograms });
    cost = performance.now() - start;
  }

  async function showAnswers(event: Tested): Promise<void> {
    drawnAnswers = event;
    const { drawAnswers } = await import("./answer_pictures.ts");
    const some = await drawAnswers(output, `${name}, epoch ${event.epoch}`, options.data.test, event.test);
    await (await eventFile()).write(progress.batches, { pictures: { "test/answers": some } });
  }

  return {
    async step({ batches, step, steps, loss, own, figures, lr }) {
      if (step % Math.ceil(steps / STEPS) !== 0) return;
      await attempt(async () => {
        // An accuracy says something of many images only.
        const { accuracy } = figures;
        const more = accuracy === undefined ? scalarsOf("step", own) : { "step/train_accuracy": accuracy };
        const scalars = { "step/loss": loss, ...more, "step/lr": lr };
        await (await eventFile()).write(batches, { scalars });
      });
    },
    async epoch(event, { images_per_second, seconds }) {
      waiting = event;
      if (event.best || !shown?.best) shown = event;
      const { train, test, lr, data_wait } = event;
      await attempt(async () => {
        const scalars = {
          "train/loss": train.loss,
          ...scalarsOf("train", train.figures),
          "test/loss": test.loss,
          ...scalarsOf("test", test.figures),
          lr,
          data_wait,
          seconds_per_epoch: seconds,
          ...images_per_second === undefined ? {} : { images_per_second },
        };
        await (await eventFile()).write(progress.batches, { scalars });
      });
      if (spent + cost <= SHARE * (performance.now() - began)) await attempt(draw);
    },
    finish: () => attempt(draw),
    answers: (test) => attempt(() => showAnswers(test)),
  };
}

function scalarsOf(part: string, figures: Figures): Record<string, number> {
  return Object.fromEntries(Object.entries(figures).map(([name, value]) => [`${part}/${name}`, value]));
}
