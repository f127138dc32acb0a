/** A summary as text that is kept beside a test: a line for each module that says all, so that a change touches few lines. */
import { formatShape } from "../shape.ts";
import { commas, times } from "../summary/format.ts";
import type { Layer, Summary } from "../summary/summary.ts";

/**
 * ```text
 * Net [1, 3, 9, 9] → [1, 5], 143 parameters, 8,844 MACs
 *   conv: Conv2d [1, 3, 9, 9] → [1, 4, 9, 9], kernel 3×3, stride 1×1, 112 parameters, 8,748 MACs
 * ```
 */
export function snapshotOf({ layers }: Summary): string {
  return `${layers.map(lineOf).join("\n")}\n`;
}

function lineOf(layer: Layer): string {
  const { path, type, depth, calls, inputs, outputs, kernel, stride, parameters, trainable, macs } = layer;
  const shapes = (list: Layer["inputs"]) => list.map(formatShape).join(" ");
  return "  ".repeat(depth) + (path && `${path}: `) + [
    calls === 0 ? `${type}, not run` : `${type} ${shapes(inputs)} → ${shapes(outputs)}`,
    ...calls > 1 ? [`${calls} times`] : [],
    ...kernel && stride ? [`kernel ${times(kernel)}`, `stride ${times(stride)}`] : [],
    ...parameters > 0 ? [`${commas(parameters)} parameters`] : [],
    ...trainable < parameters ? [`${commas(trainable)} trainable`] : [],
    ...macs > 0 ? [`${commas(macs)} MACs`] : [],
  ].join(", ");
}
