import type { Lowering } from "./lowering.ts";

const conv2d: Lowering<"conv2d"> = () => {
  throw new Error("conv2d: no lowering yet");
};
const conv2d_grad_input: Lowering<"conv2d_grad_input"> = () => {
  throw new Error("conv2d_grad_input: no lowering yet");
};
const conv2d_grad_weight: Lowering<"conv2d_grad_weight"> = () => {
  throw new Error("conv2d_grad_weight: no lowering yet");
};
const linear: Lowering<"linear"> = () => {
  throw new Error("linear: no lowering yet");
};
const linear_grad_input: Lowering<"linear_grad_input"> = () => {
  throw new Error("linear_grad_input: no lowering yet");
};
const linear_grad_weight: Lowering<"linear_grad_weight"> = () => {
  throw new Error("linear_grad_weight: no lowering yet");
};
const sum_channels: Lowering<"sum_channels"> = () => {
  throw new Error("sum_channels: no lowering yet");
};

export const convLowerings = {
  conv2d,
  conv2d_grad_input,
  conv2d_grad_weight,
  linear,
  linear_grad_input,
  linear_grad_weight,
  sum_channels,
};
