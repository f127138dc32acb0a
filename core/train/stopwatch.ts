/** How fast a run is, by the clock. */

export interface Pace {
  /** Of the epoch's training so far, without the evaluation; undefined before its first step. */
  readonly images_per_second: number | undefined;
  /** Until the end of the run; not finite before its first step. */
  readonly seconds_left: number;
  /** Of the epoch so far, its evaluation included. */
  readonly epoch_seconds: number;
  /** Of the run so far. */
  readonly seconds: number;
}

export interface StopwatchOptions {
  readonly batch_size: number;
  /** Steps of the whole run that were taken before it was resumed. */
  readonly before: number;
  /** Steps of the whole run, if no time or luck ends it earlier, and the most seconds from now on. */
  readonly total: number;
  readonly seconds: number;
}

export interface Stopwatch {
  /** Starts the clock of an epoch, or of what is left of it. */
  startEpoch(): void;
  /** Notes the end of a training step. */
  step(): void;
  pace(): Pace;
  /** Leaves out the last `milliseconds`: the run was paused. */
  skip(milliseconds: number): void;
}

/** Starts now. */
export function createStopwatch({ batch_size, before, total, seconds }: StopwatchOptions): Stopwatch {
  let started = performance.now();
  let epochStarted = started;
  let trained = started;
  let stepsOfEpoch = 0;
  let stepsOfRun = 0;
  return {
    startEpoch() {
      epochStarted = performance.now();
      stepsOfEpoch = 0;
    },
    step() {
      trained = performance.now();
      stepsOfEpoch++;
      stepsOfRun++;
    },
    pace() {
      const now = performance.now();
      const passed = (now - started) / 1000;
      const left = total - before - stepsOfRun;
      return {
        images_per_second: stepsOfEpoch > 0
          ? stepsOfEpoch * batch_size / ((trained - epochStarted) / 1000)
          : undefined,
        seconds_left: Math.min(left * passed / stepsOfRun, seconds - passed),
        epoch_seconds: (now - epochStarted) / 1000,
        seconds: passed,
      };
    },
    skip(milliseconds) {
      started += milliseconds;
      epochStarted += milliseconds;
      trained += milliseconds;
    },
  };
}
