import { UserError } from "../errors.ts";
import { add, crossEntropy, type CrossEntropyOptions, scale } from "./functional.ts";
import { Tensor } from "./tensor.ts";

/** Scores from the middle of a network, whose loss counts `weight` times. */
export interface Auxiliary {
  readonly scores: Tensor;
  readonly weight: number;
}

/** What a classifier returns: its scores `[N, classes]` and, of some networks in training, those of auxiliary classifiers. */
export type ModelOutput = Tensor | { readonly scores: Tensor; readonly auxiliary: readonly Auxiliary[] };

/** The scores that the network is used for. */
export function scoresOf(output: ModelOutput): Tensor {
  const scores = output instanceof Tensor ? output : output?.scores;
  if (scores instanceof Tensor) return scores;
  throw new UserError(`the network's forward must return a Tensor of scores, not ${typeof output}`);
}

/** The cross entropy of all scores, each with its weight. */
export function classificationLoss(
  output: ModelOutput,
  target: Tensor,
  options?: CrossEntropyOptions,
): Tensor {
  const own = crossEntropy(scoresOf(output), target, options);
  const auxiliary = output instanceof Tensor ? [] : output.auxiliary;
  return auxiliary.reduce(
    (loss, { scores, weight }) => add(loss, scale(crossEntropy(scores, target, options), weight)),
    own,
  );
}
