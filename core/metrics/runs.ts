/** Several runs beside each other. */
import { bestEpoch } from "./best_epoch.ts";
import type { LogRow } from "./log.ts";

/** How a run went. */
export interface RunFigures {
  /** Finished ones. */
  readonly epochs: number;
  /** The highest test accuracy (0 … 1); undefined before the first, and for detectors. */
  readonly best_accuracy: number | undefined;
  /** The same of a detector: mAP at an IoU of 0.5. */
  readonly best_map50?: number;
  /** The first one with it. */
  readonly best_epoch: number | undefined;
  /** Of all epochs, with their tests. */
  readonly seconds: number;
  /** Trained on, in the median epoch. */
  readonly images_per_second: number | undefined;
}

export function runFigures(log: readonly LogRow[]): RunFigures {
  const best = bestEpoch(log);
  const speeds = log.flatMap(({ images_per_second }) => images_per_second ?? []).sort((a, b) => a - b);
  return {
    epochs: log.length,
    best_accuracy: best?.test_accuracy,
    ...best?.test_map50 === undefined ? {} : { best_map50: best.test_map50 },
    best_epoch: best?.epoch,
    seconds: log.reduce((sum, { seconds = 0 }) => sum + seconds, 0),
    images_per_second: speeds[Math.floor(speeds.length / 2)],
  };
}

/** Names of the settings that are not the same in all, in the order in which they first stand. */
export function differingSettings(all: readonly Readonly<Record<string, unknown>>[]): string[] {
  const names = new Set(all.flatMap((settings) => Object.keys(settings)));
  return [...names].filter((name) => new Set(all.map((settings) => JSON.stringify(settings[name]))).size > 1);
}
