import type { CrossEntropyAttrs } from "../../../ops/loss.ts";
import type { Word } from "../../../program/program.ts";
import type { Shape } from "../../../shape.ts";
import { address, float, type Lowering } from "./lowering.ts";

/** The target's weight, and the weight that every class gets for smoothing. */
function weights({ label_smoothing }: CrossEntropyAttrs, classes: number): [Word, Word] {
  return [float(1 - label_smoothing), float(label_smoothing / classes)];
}

function factorOf({ reduction }: CrossEntropyAttrs, rows: number): Word {
  return float(reduction === "mean" ? 1 / rows : 1);
}

function rowsAndClasses(shape: Shape): [number, number] {
  return [shape[0]!, shape[1]!];
}

const cross_entropy: Lowering<"cross_entropy"> = (lower, { inputs, outputs, attrs }) => {
  const [scores, target] = inputs, [loss, probabilities] = outputs;
  const [rows, classes] = rowsAndClasses(scores!.shape);
  const losses: Word = attrs.reduction === "none" ? address(loss) : { scratch: lower.scratch(4 * rows) };
  lower.call(
    "cross_entropy",
    address(scores),
    address(target),
    losses,
    address(probabilities),
    rows,
    classes,
    ...weights(attrs, classes),
  );
  if (attrs.reduction !== "none") {
    lower.call("sum_losses", losses, address(loss), rows, factorOf(attrs, rows));
  }
};

const cross_entropy_grad: Lowering<"cross_entropy_grad"> = (lower, { inputs, outputs: [dx], attrs }) => {
  const [dloss, probabilities, target] = inputs;
  const [rows, classes] = rowsAndClasses(dx!.shape);
  lower.call(
    "cross_entropy_grad",
    address(dloss),
    address(probabilities),
    address(target),
    address(dx),
    rows,
    classes,
    ...weights(attrs, classes),
    factorOf(attrs, rows),
    attrs.reduction === "none" ? 4 : 0,
  );
};

const count_correct: Lowering<"count_correct"> = (
  lower,
  { inputs: [scores, target], outputs: [y], attrs },
) => {
  lower.call(
    "count_correct",
    address(scores),
    address(target),
    address(y),
    ...rowsAndClasses(scores!.shape),
    attrs.k,
  );
};

export const lossLowerings = { cross_entropy, cross_entropy_grad, count_correct };
