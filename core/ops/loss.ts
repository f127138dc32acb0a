/** The loss of classifiers, and how often they are right. */
import { f32, i32, type TensorType } from "../graph/graph.ts";
import { formatShape, sameShape } from "../shape.ts";
import { at, expectRank, first, known, Misfit, type Op } from "./op.ts";

export interface CrossEntropyAttrs {
  /** Share of the target spread evenly over all classes (Szegedy et al. 2016). */
  readonly label_smoothing: number;
  readonly reduction: "mean" | "sum" | "none";
}

function expectTargets(inputs: readonly TensorType[]): void {
  const logits = first(inputs).shape;
  const target = first(inputs, 1);
  expectRank(logits, 2, "the scores (N, classes)");
  if (target.dtype !== "i32" || !sameShape(target.shape, logits.slice(0, 1))) {
    throw new Misfit(
      `the targets must be i32 [${logits[0]}], not ${target.dtype} ${formatShape(target.shape)}`,
    );
  }
}

/**
 * `(scores [N, C], target i32 [N]) → loss [] (or [N] for reduction "none"), probabilities [N, C]`:
 * per sample −(1 − s)·log p[target] − s/C·Σ log p, with p = softmax(scores) and s the label smoothing. "mean" divides
 * by N. A sample with target −1 does not count: loss and gradient 0. Any other target that is no class: loss NaN.
 */
export const cross_entropy: Op<CrossEntropyAttrs> = {
  infer(inputs, { label_smoothing, reduction }) {
    expectTargets(inputs);
    if (!(label_smoothing >= 0 && label_smoothing <= 1)) {
      throw new Misfit(`label_smoothing must be within 0 … 1, not ${label_smoothing}`);
    }
    const { shape } = first(inputs);
    return [f32(reduction === "none" ? [at(shape, 0)] : []), f32(shape)];
  },
  gradient: (emit, { inputs: [, target], outputs: [, probabilities], attrs }, [grad]) => [
    emit("cross_entropy_grad", [known(grad), known(probabilities), known(target)], attrs)[0],
  ],
};

/** `(dloss, probabilities, target) → dscores` = dloss · (p − (1 − s)·onehot − s/C), over N for "mean" */
export const cross_entropy_grad: Op<CrossEntropyAttrs> = {
  infer: (inputs) => [f32(first(inputs, 1).shape)],
};

/**
 * `(scores [N, C], target i32 [N]) → i32 []`: samples whose target is among the k highest scores (ties: lower index).
 * A target that is no class and a score that is NaN are never right.
 */
export const count_correct: Op<{ readonly k: number }> = {
  infer(inputs) {
    expectTargets(inputs);
    return [i32([])];
  },
};
