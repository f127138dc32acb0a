/** The summary for other programs: JSON and CSV. */
import type { MemoryReport } from "../backend/backend.ts";
import type { Shape } from "../shape.ts";
import type { Summary } from "./summary.ts";
import { shownLayers, type TextOptions } from "./tree.ts";

/** Everything, in JSON; `memory` where it is known. */
export function jsonText(
  summary: Summary,
  options: TextOptions & { readonly memory?: Readonly<Record<string, MemoryReport | string>> } = {},
): string {
  const { classic: _, layers: __, ...totals } = summary;
  const { name = summary.type, depth, memory } = options;
  const text = JSON.stringify({ name, ...totals, memory, layers: shownLayers(summary, depth) }, null, 2);
  return text.replace(/\[[\d\s,]+\]/g, (shape) => shape.replace(/\s+/g, "").replaceAll(",", ", "));
}

const COLUMNS =
  "path,depth,type,calls,inputs,outputs,kernel,stride,parameters,trainable_parameters,share,macs";

/** A line for each module, as RFC 4180 has it; shapes as `1x3x224x224`. */
export function csvText(summary: Summary, options: TextOptions = {}): string {
  const shapes = (list: readonly Shape[]) => list.map((shape) => shape.join("x")).join(" ");
  const lines = shownLayers(summary, options.depth).map((layer) =>
    [
      layer.path,
      layer.depth,
      layer.type,
      layer.calls,
      shapes(layer.inputs),
      shapes(layer.outputs),
      layer.kernel?.join("x") ?? "",
      layer.stride?.join("x") ?? "",
      layer.parameters,
      layer.trainable,
      summary.parameters === 0 ? 0 : layer.parameters / summary.parameters,
      layer.macs,
    ].map((cell) => quote(String(cell))).join(",")
  );
  return [COLUMNS, ...lines].join("\n");
}

function quote(cell: string): string {
  return /[",\n]/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell;
}
