/** The summary as a tree of modules, each with its path, shapes, share of the parameters, and work. */
import { formatShape } from "../shape.ts";
import { alignColumns, commas, times } from "./format.ts";
import type { Layer, Summary } from "./summary.ts";

export interface TextOptions {
  /** What to call the network; its class by default. */
  readonly name?: string;
  /** Leaves out modules that are deeper than this. */
  readonly depth?: number | undefined;
}

const TITLES = [
  "Module",
  "Layer",
  "Input",
  "Output",
  "Kernel",
  "Stride",
  "Params",
  "Share",
  "Trainable",
  "MACs",
];
const FLUSH_RIGHT = new Set([6, 7, 9]);

/** The rows that `depth` leaves. */
export function shownLayers({ layers }: Summary, depth = Infinity): Layer[] {
  return layers.filter((layer) => layer.depth <= depth);
}

export function treeText(summary: Summary, options: TextOptions = {}): string {
  const { name = summary.type, depth } = options;
  const layers = shownLayers(summary, depth);
  const branches = branchesOf(layers);
  const rows = layers.map((layer, index) => [
    branches[index]! + (layer.path || name),
    ...describe(layer, summary.parameters).slice(1),
  ]);
  const lines = alignColumns([TITLES, ...rows], FLUSH_RIGHT);
  const rule = "─".repeat(Math.max(...lines.map((line) => line.length)));
  const { parameters, trainable, macs, input } = summary;
  return [
    lines[0],
    rule,
    ...lines.slice(1),
    rule,
    `Parameters: ${commas(parameters)}, of which ${commas(trainable)} trainable and ` +
    `${commas(parameters - trainable)} not`,
    `MACs (multiply-accumulates of one ${times(input.slice(1))} image): ${commas(macs)}`,
  ].join("\n");
}

/** The cells of a row, for people. */
function describe(layer: Layer, parameters: number): string[] {
  const shape = (shapes: Layer["inputs"]) => shapes.map(formatShape).join(" ");
  return [
    layer.path,
    layer.type + (layer.calls > 1 ? ` ×${layer.calls}` : layer.calls === 0 ? " (not run)" : ""),
    shape(layer.inputs),
    shape(layer.outputs),
    layer.kernel ? times(layer.kernel) : "",
    layer.stride ? times(layer.stride) : "",
    layer.parameters ? commas(layer.parameters) : "",
    layer.parameters ? `${(100 * layer.parameters / parameters).toFixed(2)} %` : "",
    trainability(layer),
    layer.macs ? commas(layer.macs) : "",
  ];
}

function trainability({ parameters, trainable }: Layer): string {
  if (parameters === 0) return "";
  return trainable === parameters ? "yes" : trainable === 0 ? "no" : "partly";
}

/** What stands before each path: `│ ├ `. */
function branchesOf(layers: readonly Layer[]): string[] {
  return layers.map(({ depth }, index) => {
    const rest = layers.slice(index + 1);
    let branches = "";
    for (let level = 1; level <= depth; level++) {
      // The level goes on if another row of it comes before any row above it.
      const next = rest.find((layer) => layer.depth <= level);
      const goesOn = next?.depth === level;
      branches += level < depth ? (goesOn ? "│ " : "  ") : goesOn ? "├ " : "└ ";
    }
    return branches;
  });
}

/** The same as a table in Markdown. */
export function markdownText(summary: Summary, options: TextOptions = {}): string {
  const { name = summary.type, depth } = options;
  const row = (cells: readonly string[]) =>
    `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`;
  return [
    row(TITLES),
    row(TITLES.map((_, column) => FLUSH_RIGHT.has(column) ? "--:" : "---")),
    ...shownLayers(summary, depth).map((layer) =>
      row([layer.path ? `\`${layer.path}\`` : `**${name}**`, ...describe(layer, summary.parameters).slice(1)])
    ),
  ].join("\n");
}
