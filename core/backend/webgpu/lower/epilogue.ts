/** Epilogues: their code, and what it reads. */
import type { Value } from "../../../graph/graph.ts";
import type { Step, WithEpilogue } from "../../../ops/epilogue.ts";
import { type Bound, type Constant, float, groupsFor, reads, writes } from "../kernel.ts";
import { elements } from "../wgsl/elements.ts";
import { finish } from "../wgsl/epilogue.ts";
import type { Width } from "../wgsl/formula.ts";
import type { Lower } from "./lowering.ts";

/** What a kernel takes in for its epilogue. */
export interface Finish {
  /** Defines `finish(x, i, channel)`. */
  readonly code: string;
  readonly buffers: Readonly<Record<string, Bound>>;
  readonly numbers: Readonly<Record<string, Constant>>;
}

/** The node's epilogue, for kernels that write its results by `finish`. Adds the kernels that it needs beforehand. */
export function epilogueOf(
  lower: Lower,
  { inputs, attrs }: { readonly inputs: readonly Value[]; readonly attrs: WithEpilogue },
  width: Width,
  own?: string,
): Finish {
  const steps = attrs.epilogue ?? [];
  let buffers: Record<string, Bound> = {};
  let slope: number | undefined;
  for (const step of steps) {
    const operand = inputs[step.inputs[0] ?? -1];
    slope ??= step.negative_slope;
    if (step.op === "batch_norm") buffers = { ...buffers, ...runningNorm(lower, step, inputs, width) };
    else if (step.op === "add") buffers.other = reads(operand, width);
    else if (step.op.endsWith("_grad")) buffers.saved = reads(operand, width);
  }
  const needsSlope = steps.some(({ op }) => op !== "add" && op !== "batch_norm");
  return {
    code: finish(steps, width, own),
    buffers,
    numbers: needsSlope ? { finish_slope: float(slope ?? 0) } : {},
  };
}

/** Normalisation by running statistics, computed anew in each run, since weights may change between runs. */
function runningNorm(
  lower: Lower,
  { inputs: places, eps = 0 }: Step,
  inputs: readonly Value[],
  width: Width,
) {
  const [weight, bias, mean, variance] = places.map((place) => inputs[place]);
  const count = weight!.shape[0]!;
  const scale = lower.scratch(4 * count);
  lower.add({
    kernel: "batch_norm_scale",
    code: elements("read_weight(i) * (1.0 / sqrt(read_variance(i) + n.eps))"),
    buffers: { weight: reads(weight), variance: reads(variance), y: writes(scale) },
    numbers: { count, eps: float(eps) },
    groups: groupsFor(count),
  });
  return { mean: reads(mean, width), scale: reads(scale, width), shift: reads(bias, width) };
}
