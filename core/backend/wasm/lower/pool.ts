import type { Lowering } from "./lowering.ts";

const max_pool2d: Lowering<"max_pool2d"> = () => {
  throw new Error("max_pool2d: no lowering yet");
};
const max_pool2d_grad: Lowering<"max_pool2d_grad"> = () => {
  throw new Error("max_pool2d_grad: no lowering yet");
};
const avg_pool2d: Lowering<"avg_pool2d"> = () => {
  throw new Error("avg_pool2d: no lowering yet");
};
const avg_pool2d_grad: Lowering<"avg_pool2d_grad"> = () => {
  throw new Error("avg_pool2d_grad: no lowering yet");
};
const adaptive_avg_pool2d: Lowering<"adaptive_avg_pool2d"> = () => {
  throw new Error("adaptive_avg_pool2d: no lowering yet");
};
const adaptive_avg_pool2d_grad: Lowering<"adaptive_avg_pool2d_grad"> = () => {
  throw new Error("adaptive_avg_pool2d_grad: no lowering yet");
};

export const poolLowerings = {
  max_pool2d,
  max_pool2d_grad,
  avg_pool2d,
  avg_pool2d_grad,
  adaptive_avg_pool2d,
  adaptive_avg_pool2d_grad,
};
