/** What the bench says: a table for each workload, and one over all of them. */
import { statisticsOf } from "../core/bench/statistics.ts";
import { alignColumns, times } from "../core/summary/format.ts";
import { DISTURBED } from "./rounds.ts";
import { type Outcome, type Score, titleOf } from "./compare.ts";

/** Strata's modes, which all others are held against. */
export const OURS = ["strata-256", "strata-128"] as const;

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
  const ours = OURS.map((name) => scores.find(({ contestant }) => contestant === name));
  const titles = ["", "", "ms", "spread", "images/s", "256-bit", "128-bit", "cores", "MiB"];
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
    `${titleOf(workload)}, ${
      times(workload.input)
    }, batch ${workload.batch}, ${threads} threads, ${rounds} rounds`,
    ...alignColumns([titles, ...rows], new Set([2, 3, 4, 5, 6, 7, 8])),
    ...failures.map(({ contestant, reason }) => `${contestant} failed: ${reason}`),
    ...disturbed.length > 0
      ? [`Other programs or machines took processors meanwhile: ${disturbed.join(", ")}`]
      : [],
  ].join("\n");
}

export const LEGEND =
  `256-bit, 128-bit: how many times as fast Strata is in that mode, the median of the rounds. Spread: from quartile to
quartile. Cores: processors kept busy. MiB: the process's memory at its peak, libraries and all.`;

/** The ratios of all workloads, by contestant. */
export function summaryText(outcomes: readonly Outcome[], peers: readonly string[]): string {
  const shown = peers.filter((peer) =>
    outcomes.some(({ scores }) => scores.some(({ contestant }) => contestant === peer))
  );
  const rows = outcomes.map(({ workload, scores }) => {
    const find = (name: string) => scores.find(({ contestant }) => contestant === name);
    const cells = shown.map((peer) => {
      const theirs = find(peer);
      if (!theirs) return "";
      return OURS.map((name) => {
        const ours = find(name);
        return ours ? timesAsFast(ours, theirs).toFixed(2) : "–";
      }).join(" | ");
    });
    return [titleOf(workload), ...cells];
  });
  return [
    "How many times as fast Strata is, in 256-bit | 128-bit mode",
    ...alignColumns([["", ...shown], ...rows], new Set(shown.map((_, i) => i + 1))),
  ].join("\n");
}

/** Four digits and no more. */
function digits(number: number): string {
  return number >= 1000 ? number.toFixed(0) : number.toPrecision(4);
}
