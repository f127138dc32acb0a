/** Epilogues, as kernels read them. */
import type { Value } from "../../../graph/graph.ts";
import type { Step, WithEpilogue } from "../../../ops/epilogue.ts";
import type { Word } from "../../../program/program.ts";
import { address, addressOrNull, float, type Lower } from "./lowering.ts";

/** Addresses, a float a channel each: (x − mean) · scale + shift. */
export interface Normalisation {
  readonly mean: Word;
  readonly scale: Word;
  readonly shift: Word;
}

/** A node whose op may have an epilogue. */
interface Finished {
  readonly inputs: readonly Value[];
  readonly outputs: readonly Value[];
  readonly attrs: WithEpilogue;
}

/** Codes of assembly/epilogue.ts. */
const ACTIVATIONS = ["", "relu", "leaky_relu", "relu6", "relu_grad", "leaky_relu_grad", "relu6_grad"];

/**
 * The address of the node's epilogue, 0 for none, for the argument of a kernel that calls `finish` (assembly/epilogue.ts) on
 * its results. Calls the kernels that it needs beforehand. A batch norm passes its own normalisation.
 */
export function epilogueOf(lower: Lower, { inputs, outputs, attrs }: Finished, own?: Normalisation): Word {
  const steps = attrs.epilogue ?? [];
  if (steps.length === 0 && !own) return 0;
  const operand = (step: Step | undefined) => inputs[step?.inputs[0] ?? -1];
  const norm = steps.find(({ op }) => op === "batch_norm");
  const sum = steps.findIndex(({ op }) => op === "add");
  const activation = steps.findIndex(({ op }) => ACTIVATIONS.includes(op));
  const { mean, scale, shift } = own ?? (norm ? runningNorm(lower, norm, inputs) : NONE);
  return {
    table: [
      ...[mean, scale, shift],
      address(outputs[0]),
      addressOrNull(operand(steps[sum])),
      sum < 0 ? 0 : activation >= 0 && activation < sum ? 2 : 1,
      ...activationWords(steps[activation]),
      addressOrNull(operand(steps[activation])),
    ],
  };
}

/** Code and slope of an activation or of its gradient. */
export function activationWords(activation?: Pick<Step, "op" | "negative_slope">): Word[] {
  return [ACTIVATIONS.indexOf(activation?.op ?? ""), float(activation?.negative_slope ?? 0)];
}

const NONE: Normalisation = { mean: 0, scale: 0, shift: 0 };

/** Normalisation by running statistics, computed anew in each run, since weights may change between runs. */
function runningNorm(
  lower: Lower,
  { inputs: places, eps = 0 }: Step,
  inputs: readonly Value[],
): Normalisation {
  const [weight, bias, runningMean, runningVar] = places.map((place) => address(inputs[place]));
  const channels = inputs[places[0]!]!.shape[0]!;
  const [mean, invstd, scale] = [0, 1, 2].map((): Word => ({ scratch: lower.scratch(4 * channels) }));
  // deno-fmt-ignore
  lower.call(
    "batch_norm_running", weight!, runningMean!, runningVar!, mean!, invstd!, scale!, channels, float(eps),
  );
  return { mean: mean!, scale: scale!, shift: bias! };
}
