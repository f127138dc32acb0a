/** Several runs beside each other: what they were asked for otherwise, and how they went. */
import { bestEpoch } from "./best_epoch.ts";
import type { LogRow } from "./log.ts";

export interface RunRecord {
  readonly name: string;
  /** Its settings, by name. */
  readonly config: Readonly<Record<string, unknown>>;
  readonly log: readonly LogRow[];
}

export interface RunOutcome {
  readonly name: string;
  /** Those settings that are not the same in all runs. */
  readonly settings: Readonly<Record<string, unknown>>;
  readonly epochs: number;
  /** Of the test images, 0 … 1; undefined where no epoch was finished. */
  readonly best_accuracy: number | undefined;
  readonly best_epoch: number | undefined;
  readonly last_accuracy: number | undefined;
  /** Of the best epoch. */
  readonly test_loss: number | undefined;
  readonly seconds: number;
  /** The mean over epochs. */
  readonly images_per_second: number | undefined;
}

/** What is no setting, or only says where things are. */
const ASIDE = ["images", "classes", "shape", "normalize", "methods"];

export function compareRuns(runs: readonly RunRecord[]): RunOutcome[] {
  const names = differing(runs);
  return runs.map(({ name, config, log }) => {
    const best = bestEpoch(log);
    const speeds = log.flatMap(({ images_per_second }) => images_per_second ?? []);
    return {
      name,
      settings: Object.fromEntries(names.map((setting) => [setting, config[setting] ?? null])),
      epochs: log.length,
      best_accuracy: best?.test_accuracy,
      best_epoch: best?.epoch,
      last_accuracy: log.at(-1)?.test_accuracy,
      test_loss: best?.test_loss,
      seconds: log.reduce((sum, { seconds = 0 }) => sum + seconds, 0),
      images_per_second: speeds.length > 0 ? speeds.reduce((a, b) => a + b) / speeds.length : undefined,
    };
  });
}

/** Settings that not all runs have alike, in the order of the first run's. */
function differing(runs: readonly RunRecord[]): string[] {
  const names = new Set(runs.flatMap(({ config }) => Object.keys(config)));
  return [...names].filter((name) => {
    const values = new Set(runs.map(({ config }) => JSON.stringify(config[name])));
    return values.size > 1 && !ASIDE.includes(name);
  });
}
