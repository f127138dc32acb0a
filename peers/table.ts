/** What the bench says: a table for each workload, and one over all of them. */
import { statisticsOf } from "../core/bench/statistics.ts";
import { alignColumns, times } from "../core/summary/format.ts";
import { DISTURBED } from "./rounds.ts";
import { type Outcome, type Score, titleOf } from "./compare.ts";
import type { Device } from "./protocol.ts";

/** Strata's modes, with which all others are compared, by the titles of their columns. */
const COLUMNS: Readonly<Record<Device, Readonly<Record<string, string>>>> = {
  cpu: { "256-bit": "strata-256", "128-bit": "strata-128" },
  webgpu: { strata: "strata-webgpu" },
};

/** Whether a contestant is Strata. */
export function isOurs(contestant: string): boolean {
  return contestant.startsWith("strata-");
}

/** How many times as fast `ours` is: the median over the rounds, each of which had about the same machine for both. */
export function timesAsFast(ours: Score, theirs: Score): number {
  return statisticsOf(theirs.milliseconds.map((time, round) => time / ours.milliseconds[round]!)).median;
}

export function imagesPerSecond(outcome: Outcome, score: Score): number {
  return 1000 * outcome.workload.batch / statisticsOf(score.milliseconds).median;
}

/** A line for each contestant, and one for each that failed. */
export function outcomeText(
  outcome: Outcome,
  { threads, rounds }: { threads: number; rounds: number },
): string {
  const { workload, scores, failures } = outcome;
  const columns = COLUMNS[workload.device];
  const ours = Object.values(columns).map((name) => scores.find(({ contestant }) => contestant === name));
  const titles = ["", "", "ms", "spread", "images/s", ...Object.keys(columns), "cores", "MiB"];
  const rows = scores.map((score) => {
    const { median, spread } = statisticsOf(score.milliseconds);
    return [
      score.contestant,
      score.version,
      digits(median),
      `${(100 * spread).toFixed(1)} %`,
      digits(imagesPerSecond(outcome, score)),
      ...ours.map((our) => our ? timesAsFast(our, score).toFixed(2) : "–"),
      score.cores?.toFixed(2) ?? "–",
      score.peakBytes === undefined ? "–" : (score.peakBytes / 2 ** 20).toFixed(0),
    ];
  });
  const disturbed = scores.flatMap(({ contestant, disturbance = 0 }) =>
    disturbance > DISTURBED ? [`${disturbance.toFixed(2)} from ${contestant}`] : []
  );
  return [
    `${titleOf(workload)}, ${times(workload.input)}, batch ${workload.batch}, ${
      workload.device === "cpu" ? `${threads} threads` : "on a GPU"
    }, ${rounds} rounds`,
    ...alignColumns([titles, ...rows], new Set(titles.keys().drop(2))),
    ...failures.map(({ contestant, reason }) => `${contestant} failed: ${reason}`),
    ...disturbed.length > 0
      ? [`Other programs or machines took processors meanwhile: ${disturbed.join(", ")}`]
      : [],
  ].join("\n");
}

const SPREAD_AND_CORES =
  "the median of the rounds. Spread: from quartile to\nquartile. Cores: processors kept busy. MiB: the process's memory at its peak";

/** What the columns of `outcomeText` mean. */
export const LEGENDS: Readonly<Record<Device, string>> = {
  cpu:
    `256-bit, 128-bit: how many times as fast Strata is in that mode, ${SPREAD_AND_CORES}, libraries and all.`,
  webgpu: `Strata: how many times as fast Strata is, ${SPREAD_AND_CORES}, without the GPU's.`,
};

/** The ratios of all workloads, which are of one device, by contestant. */
export function summaryText(outcomes: readonly Outcome[], peers: readonly string[]): string {
  const columns = COLUMNS[outcomes[0]!.workload.device];
  const shown = peers.filter((peer) =>
    outcomes.some(({ scores }) => scores.some(({ contestant }) => contestant === peer))
  );
  const rows = outcomes.map(({ workload, scores }) => {
    const find = (name: string) => scores.find(({ contestant }) => contestant === name);
    const cells = shown.map((peer) => {
      const theirs = find(peer);
      if (!theirs) return "";
      return Object.values(columns).map((name) => {
        const ours = find(name);
        return ours ? timesAsFast(ours, theirs).toFixed(2) : "–";
      }).join(" | ");
    });
    return [titleOf(workload), ...cells];
  });
  return [
    `How many times as fast Strata is${modesText(Object.keys(columns))}`,
    ...alignColumns([["", ...shown], ...rows], new Set(shown.map((_, i) => i + 1))),
  ].join("\n");
}

function modesText(modes: readonly string[]): string {
  return modes.length > 1 ? `, in ${modes.join(" | ")} mode` : "";
}

/** Four digits and no more. */
function digits(number: number): string {
  return number >= 1000 ? number.toFixed(0) : number.toPrecision(4);
}
