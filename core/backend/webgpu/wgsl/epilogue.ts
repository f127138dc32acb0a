/**
 * What is left to do to an op's result x before it is written: `finish(x: T, i, channel) → T`, with places counted in T, a number
 * or four of them. See core/ops/epilogue.ts for the steps and core/backend/webgpu/lower/epilogue.ts for the buffers.
 */
import type { Step } from "../../../ops/epilogue.ts";
import { activate, type Formula, propagate, type Width } from "./formula.ts";

/** `steps` in order; `own`: statements on `x` before them, with places `i` and `channel`. */
export function finish(steps: readonly Pick<Step, "op">[], width: Width, own = ""): string {
  const helpers: string[] = [], lines: string[] = [];
  for (const { op } of steps) {
    if (op === "batch_norm") {
      // The mean is taken off first, so that little is lost where it is much larger than the deviation.
      lines.push("x = (x - read_mean(channel)) * read_scale(channel) + read_shift(channel);");
    } else if (op === "add") {
      lines.push("x = x + read_other(i);");
    } else if (op.endsWith("_grad")) {
      helpers.push(
        propagate(op.slice(0, -"_grad".length) as Formula, width, "n.finish_slope", "finish_gradient"),
      );
      lines.push("x = finish_gradient(x, read_saved(i));");
    } else {
      helpers.push(activate(op as Formula, width, "n.finish_slope", "finish_activation"));
      lines.push("x = finish_activation(x);");
    }
  }
  return `${helpers.join("")}
fn finish(result: ${width}, i: u32, channel: u32) -> ${width} {
  var x = result;
  ${own}
  ${lines.join("\n  ")}
  return x;
}
`;
}
