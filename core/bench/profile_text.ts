/** A profile as tables to read. */
import { alignColumns } from "../summary/format.ts";
import type { Profile, Share } from "./profile.ts";
import type { Roof } from "./roof.ts";

/**
 * The `top` slowest of each kind. Operations are counted as the direct method has them: others may pass the peak, which is that of
 * `peak`. What waits for nobody, as a GPU's kernels by their own clock, is not said to wait.
 */
export function profileText(profile: Profile, roof: Roof, peak: string, top: number): string[] {
  const { milliseconds, waiting, steps } = profile;
  const tables: [title: string, shares: readonly Share[]][] = [
    ["by op", profile.ops],
    ["by layer, forward and backward", profile.layers],
    ["single ops", profile.nodes],
    ["by kernel", profile.kernels],
  ];
  return [
    `Profile (each call's median of ${steps} step${steps === 1 ? "" : "s"}): ${
      milliseconds.toFixed(1)
    } ms in kernels${
      waiting > 0
        ? `, ${waiting.toFixed(1)} ms of them (${percent(waiting / milliseconds)}) waiting at barriers`
        : ""
    }`,
    `Roofline: ${roof.gflops.toFixed(1)} GFLOP/s, the peak of ${peak}; ${
      roof.gigabytes.toFixed(1)
    } GB/s copying`,
    ...tables.flatMap(([title, shares]) => ["", ...shareTable(title, shares, profile, roof, top)]),
  ];
}

function shareTable(
  title: string,
  shares: readonly Share[],
  whole: Pick<Profile, "milliseconds" | "waiting">,
  roof: Roof,
  top: number,
): string[] {
  const withWaiting = whole.waiting > 0, withRates = shares.some(({ macs, bytes }) => macs + bytes > 0);
  const header = [
    ...[title, "ms", "of step"],
    ...withWaiting ? ["waiting"] : [],
    ...withRates ? ["rate", "of roof"] : [],
  ];
  const rows = shares.slice(0, top).map((share) => [
    ...[share.name, share.milliseconds.toFixed(2), percent(share.milliseconds / whole.milliseconds)],
    ...withWaiting ? [percent(share.waiting / share.milliseconds)] : [],
    ...withRates ? rateText(share, roof) : [],
  ]);
  const lines = alignColumns([header, ...rows], new Set(header.keys().drop(1)));
  const rest = shares.slice(top);
  if (rest.length === 0) return lines;
  const left = rest.reduce((sum, { milliseconds }) => sum + milliseconds, 0);
  return [...lines, `and ${rest.length} more: ${left.toFixed(2)} ms, ${percent(left / whole.milliseconds)}`];
}

/**
 * How fast, and how near to the roof above it: arithmetic's or memory's, whichever is nearer. Empty where nothing was
 * counted.
 */
export function rateText(
  { milliseconds, macs, bytes }: Pick<Share, "milliseconds" | "macs" | "bytes">,
  roof: Roof,
): [rate: string, share: string] {
  if (macs === 0 && bytes === 0) return ["", ""];
  const gflops = 2 * macs / milliseconds / 1e6, gigabytes = bytes / milliseconds / 1e6;
  return gflops / roof.gflops > gigabytes / roof.gigabytes
    ? [`${gflops.toFixed(1)} GFLOP/s`, `${percent(gflops / roof.gflops)} peak`]
    : [`${gigabytes.toFixed(1)}    GB/s`, `${percent(gigabytes / roof.gigabytes)} copy`];
}

/** `71.2 %` of 0.712 */
export function percent(share: number): string {
  return `${(100 * share).toFixed(1)} %`;
}
