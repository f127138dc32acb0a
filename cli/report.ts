/** Tells how training goes: a bar on a terminal, the course's lines anywhere else. */
import type { EpochTiming } from "../core/train/log_row.ts";
import { createStopwatch, type Pace, type StopwatchOptions } from "../core/train/stopwatch.ts";
import type { Evaluation } from "../core/train/task.ts";
import type { TrainingEvent } from "../core/train/trainer.ts";
import { imagesText, partsText, percent, sharesText } from "./figures.ts";
import { bar, bold, clearLine, duration, isTerminal, redraw } from "./terminal.ts";

/** Time between two lines of a test in a log. */
const LOG_MILLISECONDS = 10_000;

export interface ReportOptions extends StopwatchOptions {
  readonly epochs: number;
  /** Steps in an epoch. */
  readonly steps: number;
  readonly printEvery: number;
}

export function createReport(options: ReportOptions) {
  const { epochs, steps, printEvery } = options;
  const watch = createStopwatch(options);

  function step(event: Extract<TrainingEvent, { type: "step" }>): void {
    watch.step();
    const { epoch, step, loss, own, figures } = event;
    if (isTerminal) {
      const { images_per_second, seconds_left } = watch.pace();
      redraw(
        [
          `Epoch ${epoch}/${epochs} ${bar(step / steps)} ${step}/${steps}`,
          `loss ${loss.toFixed(4)}`,
          sharesText(figures),
          `${imagesText(images_per_second!)}/s`,
          `${duration(seconds_left)} left`,
        ].filter((part) => part !== undefined).join("  "),
      );
    } else if (step % printEvery === 0 || step === steps) {
      console.log(
        `Epoch [${epoch}/${epochs}], Step [${step}/${steps}] Loss: ${loss.toFixed(4)}${partsText(own)}`,
      );
    }
  }

  function epoch(event: Extract<TrainingEvent, { type: "epoch" }>): EpochTiming {
    const { epoch_seconds, images_per_second, seconds_left } = watch.pace();
    const timing = { seconds: epoch_seconds, images_per_second };
    if (isTerminal) clearLine();
    const { train, test } = event;
    console.log(
      `${bold(`Epoch [${event.epoch}/${epochs}]`)} train: ${evaluationText(train)}; ` +
        `test: ${evaluationText(test)}${event.best ? " (best)" : ""}; ` +
        (timing.images_per_second
          ? `${imagesText(timing.images_per_second)}/s, data wait ${(100 * event.data_wait).toFixed(1)} %, `
          : "") +
        duration(timing.seconds) +
        (event.epoch < epochs ? `, ${duration(seconds_left)} left` : ""),
    );
    return timing;
  }

  return {
    /** Starts the clock of an epoch, or of what is left of it. */
    startEpoch: watch.startEpoch,
    /** Shows the event; for a finished epoch, tells what it took. */
    show(event: TrainingEvent): EpochTiming | undefined {
      if (event.type === "step") step(event);
      else if (event.type === "epoch") return epoch(event);
      else if (isTerminal) {
        redraw(`Epoch ${event.epoch}/${epochs} ${testing(event.batch, event.batches)}`);
      }
      return undefined;
    },
    pace: (): Pace => watch.pace(),
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
