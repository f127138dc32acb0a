import type { Lowering } from "./lowering.ts";

const cross_entropy: Lowering<"cross_entropy"> = () => {
  throw new Error("cross_entropy: no lowering yet");
};
const cross_entropy_grad: Lowering<"cross_entropy_grad"> = () => {
  throw new Error("cross_entropy_grad: no lowering yet");
};
const count_correct: Lowering<"count_correct"> = () => {
  throw new Error("count_correct: no lowering yet");
};

export const lossLowerings = { cross_entropy, cross_entropy_grad, count_correct };
