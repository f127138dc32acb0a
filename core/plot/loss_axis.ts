import type { Axis } from "./line_chart.ts";

/** A detector's loss falls by a hundred times in its first epochs; what follows shows on a logarithmic axis only. */
export function lossAxis(title: string, isDetector: boolean): Axis {
  return isDetector ? { title, scale: "log", format: "~g" } : { title, zero: true };
}
