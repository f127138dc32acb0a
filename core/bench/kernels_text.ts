/** Tables of what `bench kernels` has measured. */
import { alignColumns } from "../summary/format.ts";
import { type Direction, directions, imageText, windowText } from "./convolution.ts";
import type { ConvolutionShape } from "./kernel_cases.ts";
import type { KernelResult } from "./kernel_time.ts";
import { percent, rateText } from "./profile_text.ts";

/** Results by the name of their case; a case that was not asked for, or did not fit, has none. */
export type Results = ReadonlyMap<string, KernelResult>;

/** A shape's result in one direction, as often as a step has it. */
interface Part {
  readonly milliseconds: number;
  readonly macs: number;
  /** What it would take at the peak. */
  readonly ideal: number;
  readonly winograd: boolean;
}

/**
 * The layers of a network, those first that a step spends most time in. Operations are counted as the direct method has
 * them, so that Winograd's, marked W, may pass the peak.
 */
export function convolutionTable(shapes: readonly ConvolutionShape[], results: Results): string[] {
  const rows = shapes.map((shape) => {
    const parts = directions.map((direction) => partOf(shape, direction, results));
    return { shape, parts, milliseconds: sumOf(parts).milliseconds };
  }).filter(({ milliseconds }) => milliseconds > 0).sort((a, b) => b.milliseconds - a.milliseconds);
  if (rows.length === 0) return [];
  const whole = rows.reduce((sum, { milliseconds }) => sum + milliseconds, 0);
  const header = [
    "layer",
    "image",
    "window",
    "×",
    "ms a step",
    "",
    ...directions.flatMap((name) => [name, ""]),
  ];
  const lines = rows.map(({ shape, parts, milliseconds }) => [
    shape.layer,
    imageText(shape.convolution),
    windowText(shape.convolution) || "linear",
    String(shape.count),
    milliseconds.toFixed(2),
    percent(milliseconds / whole),
    ...parts.flatMap(gflopsText),
  ]);
  const layers = rows.reduce((sum, { shape }) => sum + shape.count, 0);
  const sums = directions.map((_, index) => sumOf(rows.map(({ parts }) => parts[index])));
  const all = ["all", "", "", String(layers), whole.toFixed(2), "", ...sums.flatMap(gflopsText)];
  return alignColumns([header, ...lines, all], new Set(header.keys().drop(3)));
}

function partOf(
  { cases, count }: ConvolutionShape,
  direction: Direction,
  results: Results,
): Part | undefined {
  const result = results.get(cases[direction]?.name ?? "");
  if (!result) return undefined;
  const { milliseconds, macs, roof, kernels } = result;
  const ideal = 2 * macs / roof.gflops / 1e6;
  const winograd = kernels.some((kernel) => kernel.startsWith("winograd"));
  return { milliseconds: count * milliseconds, macs: count * macs, ideal: count * ideal, winograd };
}

function sumOf(parts: readonly (Part | undefined)[]): Part {
  const sum = (of: "milliseconds" | "macs" | "ideal") =>
    parts.reduce((sum, part) => sum + (part?.[of] ?? 0), 0);
  return { milliseconds: sum("milliseconds"), macs: sum("macs"), ideal: sum("ideal"), winograd: false };
}

function gflopsText(part: Part | undefined): [rate: string, share: string] {
  if (!part || part.milliseconds === 0) return ["–", ""];
  const { milliseconds, macs, ideal, winograd } = part;
  return [
    (2 * macs / milliseconds / 1e6).toFixed(1),
    `${percent(ideal / milliseconds)} ${winograd ? "W" : " "}`,
  ];
}

/** Cases one by one, in their order. */
export function caseTable(title: string, results: readonly KernelResult[]): string[] {
  if (results.length === 0) return [];
  const rows = results.map((result) => [
    result.name.slice(result.name.indexOf("/") + 1),
    result.size,
    result.milliseconds.toFixed(3),
    (result.bytes / 2 ** 20).toFixed(1),
    ...rateText(result, result.roof),
  ]);
  return alignColumns([[title, "", "ms", "MiB moved", "rate", "of roof"], ...rows], new Set([2, 3, 4, 5]));
}
