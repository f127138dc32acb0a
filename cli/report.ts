/** Tells how training goes: a bar on a terminal, the course's lines anywhere else. */
import type { Evaluation } from "../core/train/task.ts";
import type { TrainingEvent } from "../core/train/trainer.ts";
import { imagesText, partsText, percent, sharesText } from "./figures.ts";
import { bar, bold, clearLine, duration, isTerminal, redraw } from "./terminal.ts";

/** Time between two lines of a test in a log. */
const LOG_MILLISECONDS = 10_000;

export interface ReportOptions {
  readonly epochs: number;
  readonly batch_size: number;
  /** Steps in an epoch. */
  readonly steps: number;
  /** Steps of the whole run that were taken before it was resumed. */
  readonly before: number;
  /** Steps of the whole run, if no time or luck ends it earlier, and the most seconds from now on. */
  readonly total: number;
  readonly seconds: number;
  readonly printEvery: number;
}

/** What an epoch took, for the log. */
export interface EpochTiming {
  readonly seconds: number;
  /** Training images a second, without the evaluation; undefined where the run was resumed after the last step. */
  readonly images_per_second: number | undefined;
}

/** How fast a run is. */
export interface Pace {
  /** Of the epoch's training so far; undefined before its first step. */
  readonly images_per_second: number | undefined;
  /** Until the end of the run; not finite before its first step. */
  readonly seconds_left: number;
  /** Of the epoch so far, its evaluation included. */
  readonly epoch_seconds: number;
}

export function createReport(options: ReportOptions) {
  const { epochs, batch_size, steps, before, total, seconds, printEvery } = options;
  const started = performance.now();
  let epochStarted = started;
  let trained = started;
  let stepsOfEpoch = 0;
  let stepsOfRun = 0;

  const imagesPerSecond = () =>
    stepsOfEpoch > 0 ? stepsOfEpoch * batch_size / ((trained - epochStarted) / 1000) : undefined;
  const secondsLeft = () => {
    const left = total - before - stepsOfRun;
    const passed = (performance.now() - started) / 1000;
    return Math.min(left * passed / stepsOfRun, seconds - passed);
  };

  function step(event: Extract<TrainingEvent, { type: "step" }>): void {
    trained = performance.now();
    stepsOfEpoch++;
    stepsOfRun++;
    const { epoch, step, loss, own, figures } = event;
    if (isTerminal) {
      redraw(
        [
          `Epoch ${epoch}/${epochs} ${bar(step / steps)} ${step}/${steps}`,
          `loss ${loss.toFixed(4)}`,
          sharesText(figures),
          `${imagesText(imagesPerSecond()!)}/s`,
          `${duration(secondsLeft())} left`,
        ].filter((part) => part !== undefined).join("  "),
      );
    } else if (step % printEvery === 0 || step === steps) {
      console.log(
        `Epoch [${epoch}/${epochs}], Step [${step}/${steps}] Loss: ${loss.toFixed(4)}${partsText(own)}`,
      );
    }
  }

  function epoch(event: Extract<TrainingEvent, { type: "epoch" }>): EpochTiming {
    const now = performance.now();
    const timing = { seconds: (now - epochStarted) / 1000, images_per_second: imagesPerSecond() };
    if (isTerminal) clearLine();
    const { train, test } = event;
    console.log(
      `${bold(`Epoch [${event.epoch}/${epochs}]`)} train: ${evaluationText(train)}; ` +
        `test: ${evaluationText(test)}${event.best ? " (best)" : ""}; ` +
        (timing.images_per_second
          ? `${imagesText(timing.images_per_second)}/s, data wait ${(100 * event.data_wait).toFixed(1)} %, `
          : "") +
        duration(timing.seconds) +
        (event.epoch < epochs ? `, ${duration(secondsLeft())} left` : ""),
    );
    return timing;
  }

  return {
    /** Starts the clock of an epoch, or of what is left of it. */
    startEpoch(): void {
      epochStarted = performance.now();
      stepsOfEpoch = 0;
    },
    /** Shows the event; for a finished epoch, tells what it took. */
    show(event: TrainingEvent): EpochTiming | undefined {
      if (event.type === "step") step(event);
      else if (event.type === "epoch") return epoch(event);
      else if (isTerminal) {
        redraw(`Epoch ${event.epoch}/${epochs} ${testing(event.batch, event.batches)}`);
      }
      return undefined;
    },
    pace: (): Pace => ({
      images_per_second: imagesPerSecond(),
      seconds_left: secondsLeft(),
      epoch_seconds: (performance.now() - epochStarted) / 1000,
    }),
    /** Leaves the terminal in order. */
    stop(): void {
      if (isTerminal) clearLine();
    },
  };
}

/** Shows how far a test alone has come; in a log, a line now and then. */
export function createTestReport(): (batch: number, batches: number) => void {
  let shown = performance.now();
  return (batch, batches) => {
    if (isTerminal) {
      if (batch < batches) redraw(testing(batch, batches));
      else clearLine();
    } else if (performance.now() - shown > LOG_MILLISECONDS) {
      console.log(`Testing: ${batch} of ${batches} batches`);
      shown = performance.now();
    }
  };
}

function testing(batch: number, batches: number): string {
  return `testing ${bar(batch / batches)} ${batch}/${batches}`;
}

/** `loss 0.1234, 96.50 %`, or of a detector `loss 1.2345 (xy 0.1234, …), mAP@0.5 61.20 %`. */
function evaluationText({ loss, figures }: Evaluation): string {
  const { accuracy } = figures;
  const shares = accuracy === undefined ? sharesText(figures) : percent(accuracy);
  return `loss ${loss.toFixed(4)}${partsText(figures)}${shares === undefined ? "" : `, ${shares}`}`;
}
