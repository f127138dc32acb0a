import type { Lowering } from "./lowering.ts";

const batch_norm: Lowering<"batch_norm"> = () => {
  throw new Error("batch_norm: no lowering yet");
};
const batch_norm_grad: Lowering<"batch_norm_grad"> = () => {
  throw new Error("batch_norm_grad: no lowering yet");
};
const local_response_norm: Lowering<"local_response_norm"> = () => {
  throw new Error("local_response_norm: no lowering yet");
};
const local_response_norm_grad: Lowering<"local_response_norm_grad"> = () => {
  throw new Error("local_response_norm_grad: no lowering yet");
};

export const normLowerings = { batch_norm, batch_norm_grad, local_response_norm, local_response_norm_grad };
