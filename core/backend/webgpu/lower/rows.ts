/** Softmax, and the loss of classifiers. */
import type { Node } from "../../../graph/graph.ts";
import type { CrossEntropyAttrs } from "../../../ops/loss.ts";
import type { OpName } from "../../../ops/mod.ts";
import { sizeOf } from "../../../shape.ts";
import { around } from "../../memory_order.ts";
import { type Bound, float, groupsFor, reads, writes } from "../kernel.ts";
import { sumAll } from "../wgsl/reduce.ts";
import * as rows from "../wgsl/rows.ts";
import type { Lower, Lowering } from "./lowering.ts";

type Softmax = OpName & ("softmax" | "softmax_grad" | "log_softmax" | "log_softmax_grad");

function alongAxis(code: string, names: readonly string[]) {
  return (lower: Lower, { op, inputs, outputs, attrs }: Node<Softmax>): void => {
    const { outer, extent, inner } = around(outputs[0]!.shape, attrs.dim);
    const values = [...inputs, ...outputs];
    const buffers = names.map((name, index): [string, Bound] => [
      name,
      index < inputs.length ? reads(values[index]) : writes(values[index]),
    ]);
    lower.add({
      kernel: op,
      code: lower.reduceLanes + code,
      buffers: Object.fromEntries(buffers),
      numbers: { rows: outer * inner, extent, inner },
      groups: outer * inner,
    });
  };
}

/** The target's weight, and the weight that every class gets for smoothing. */
function weights({ label_smoothing }: CrossEntropyAttrs, classes: number) {
  return { confidence: float(1 - label_smoothing), spread: float(label_smoothing / classes) };
}

const cross_entropy: Lowering<"cross_entropy"> = (lower, { inputs, outputs, attrs }) => {
  const [scores, labels] = inputs, [loss, probabilities] = outputs;
  const [count, classes] = scores!.shape as [number, number];
  const losses = attrs.reduction === "none" ? loss! : lower.scratch(4 * count);
  lower.add({
    kernel: "cross_entropy",
    code: lower.reduceLanes + rows.crossEntropy,
    buffers: {
      x: reads(scores),
      labels: reads(labels, "i32"),
      losses: writes(losses),
      probabilities: writes(probabilities),
    },
    numbers: { rows: count, extent: classes, inner: 1, ...weights(attrs, classes) },
    groups: count,
  });
  if (attrs.reduction === "none") return;
  lower.add({
    kernel: "sum_losses",
    code: lower.reduceLanes + sumAll,
    buffers: { x: reads(losses), y: writes(loss) },
    numbers: { count, factor: float(attrs.reduction === "mean" ? 1 / count : 1) },
    groups: 1,
  });
};

const cross_entropy_grad: Lowering<"cross_entropy_grad"> = (lower, { inputs, outputs: [dx], attrs }) => {
  const [dloss, probabilities, labels] = inputs;
  const [count, classes] = dx!.shape as [number, number];
  lower.add({
    kernel: "cross_entropy_grad",
    code: rows.crossEntropyGrad,
    buffers: {
      dloss: reads(dloss),
      probabilities: reads(probabilities),
      labels: reads(labels, "i32"),
      dx: writes(dx),
    },
    numbers: {
      count: sizeOf(dx!.shape),
      classes,
      ...weights(attrs, classes),
      factor: float(attrs.reduction === "mean" ? 1 / count : 1),
      each: attrs.reduction === "none" ? 1 : 0,
    },
    groups: groupsFor(sizeOf(dx!.shape)),
  });
};

const count_correct: Lowering<"count_correct"> = (
  lower,
  { inputs: [scores, labels], outputs: [y], attrs },
) => {
  const [count, extent] = scores!.shape as [number, number];
  const right = lower.scratch(4 * count);
  lower.add({
    kernel: "right_rows",
    code: lower.reduceLanes + rows.rightRows,
    buffers: { x: reads(scores), labels: reads(labels, "i32"), right: writes(right, "i32") },
    numbers: { rows: count, extent, inner: 1, k: float(attrs.k) },
    groups: count,
  });
  lower.add({
    kernel: "count_right",
    code: rows.countAll,
    buffers: { x: reads(right, "i32"), y: writes(y, "i32") },
    numbers: { count },
    groups: 1,
  });
};

export const rowLowerings = {
  softmax: alongAxis(rows.softmax, ["x", "y"]),
  softmax_grad: alongAxis(rows.softmaxGrad, ["dy", "y", "dx"]),
  log_softmax: alongAxis(rows.logSoftmax, ["x", "y"]),
  log_softmax_grad: alongAxis(rows.logSoftmaxGrad, ["dy", "y", "dx"]),
  cross_entropy,
  cross_entropy_grad,
  count_correct,
};
