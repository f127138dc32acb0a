/** Dropout and initial values. */
import type { Value } from "../../../graph/graph.ts";
import { sizeOf } from "../../../shape.ts";
import { float, groupsFor, reads, writes } from "../kernel.ts";
import { elements } from "../wgsl/elements.ts";
import * as philox from "../wgsl/philox.ts";
import { fillWith } from "./elements.ts";
import type { Lower, Lowering } from "./lowering.ts";

const dropout: Lowering<"dropout"> = (lower, { inputs: [x, rng], outputs: [y], attrs: { p, stream } }) => {
  const count = Math.ceil(sizeOf(y!.shape) / 4);
  lower.add({
    kernel: "dropout",
    code: elements(philox.dropout.formula, philox.dropout.helpers),
    buffers: { x: reads(x, "vec4f"), rng: reads(rng, "i32"), y: writes(y, "vec4f") },
    // With p = 1 nothing is kept, and 1 / 0 would turn it into NaN.
    numbers: { count, stream, p: float(p), scale: float(p < 1 ? 1 / (1 - p) : 0) },
    groups: groupsFor(count),
  });
};

interface Distribution {
  readonly stream: number;
  readonly offset: number;
  readonly factor: number;
}

function fillRandom(
  lower: Lower,
  kernel: "init_uniform" | "init_normal",
  [state, rng]: readonly Value[],
  { stream, offset, factor }: Distribution,
): void {
  const count = Math.ceil(sizeOf(state!.shape) / 4);
  const { formula, helpers } = kernel === "init_uniform" ? philox.uniform : philox.normal;
  lower.add({
    kernel,
    code: elements(formula, helpers),
    buffers: { rng: reads(rng, "i32"), y: writes(state, "vec4f") },
    numbers: { count, stream, offset: float(offset), factor: float(factor) },
    groups: groupsFor(count),
  });
}

const init_uniform: Lowering<"init_uniform"> = (lower, { inputs, attrs: { stream, low, high } }) =>
  fillRandom(lower, "init_uniform", inputs, { stream, offset: low, factor: high - low });

const init_normal: Lowering<"init_normal"> = (lower, { inputs, attrs: { stream, mean, std } }) =>
  fillRandom(lower, "init_normal", inputs, { stream, offset: mean, factor: std });

const init_constant: Lowering<"init_constant"> = (lower, { inputs: [state], attrs }) =>
  fillWith(lower, state, attrs.value);

export const randomLowerings = { dropout, init_uniform, init_normal, init_constant };
