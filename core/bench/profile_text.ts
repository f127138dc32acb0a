/** A profile as tables to read. */
import { alignColumns } from "../summary/format.ts";
import type { Profile, Share } from "./profile.ts";
import type { Roof } from "./roof.ts";

const COLUMNS = ["ms", "of step", "waiting", "rate", "of roof"];

/** The `top` slowest of each kind. Operations are counted as the direct method has them: others may pass the peak. */
export function profileText(profile: Profile, roof: Roof, top: number): string[] {
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
    } ms in kernels, ` +
    `${waiting.toFixed(1)} ms of them (${percent(waiting / milliseconds)}) waiting at barriers`,
    `Roofline: ${roof.gflops.toFixed(1)} GFLOP/s at the micro-kernel's peak, ${
      roof.gigabytes.toFixed(1)
    } GB/s copying`,
    ...tables.flatMap(([title, shares]) => ["", ...shareTable(title, shares, milliseconds, roof, top)]),
  ];
}

function shareTable(
  title: string,
  shares: readonly Share[],
  whole: number,
  roof: Roof,
  top: number,
): string[] {
  const shown = shares.slice(0, top);
  const rest = shares.length - shown.length;
  const columns = shares.some(({ macs, bytes }) => macs + bytes > 0) ? COLUMNS : COLUMNS.slice(0, 3);
  const table = [[title, ...columns], ...shown.map((share) => row(share, whole, roof, columns.length))];
  const lines = alignColumns(table, new Set(columns.map((_, column) => column + 1)));
  const left = shares.slice(top).reduce((sum, { milliseconds }) => sum + milliseconds, 0);
  return rest > 0 ? [...lines, `and ${rest} more: ${left.toFixed(2)} ms, ${percent(left / whole)}`] : lines;
}

function row(share: Share, whole: number, roof: Roof, columns: number): string[] {
  const { name, milliseconds, waiting } = share;
  return [
    name,
    milliseconds.toFixed(2),
    percent(milliseconds / whole),
    percent(waiting / milliseconds),
    ...rateText(share, roof),
  ].slice(0, 1 + columns);
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
