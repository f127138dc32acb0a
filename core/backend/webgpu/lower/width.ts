/** Whether kernels can take four channels at a time. */
import type { Width } from "../wgsl/formula.ts";

/** Four numbers where every one of these counts is whole fours, else one. */
export function widthFor(...counts: readonly number[]): Width {
  return counts.every((count) => count % 4 === 0) ? "vec4f" : "f32";
}
