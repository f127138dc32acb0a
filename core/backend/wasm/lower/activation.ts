import type { Lowering } from "./lowering.ts";

const relu: Lowering<"relu"> = () => {
  throw new Error("relu: no lowering yet");
};
const relu_grad: Lowering<"relu_grad"> = () => {
  throw new Error("relu_grad: no lowering yet");
};
const leaky_relu: Lowering<"leaky_relu"> = () => {
  throw new Error("leaky_relu: no lowering yet");
};
const leaky_relu_grad: Lowering<"leaky_relu_grad"> = () => {
  throw new Error("leaky_relu_grad: no lowering yet");
};
const relu6: Lowering<"relu6"> = () => {
  throw new Error("relu6: no lowering yet");
};
const relu6_grad: Lowering<"relu6_grad"> = () => {
  throw new Error("relu6_grad: no lowering yet");
};
const sigmoid: Lowering<"sigmoid"> = () => {
  throw new Error("sigmoid: no lowering yet");
};
const sigmoid_grad: Lowering<"sigmoid_grad"> = () => {
  throw new Error("sigmoid_grad: no lowering yet");
};
const tanh: Lowering<"tanh"> = () => {
  throw new Error("tanh: no lowering yet");
};
const tanh_grad: Lowering<"tanh_grad"> = () => {
  throw new Error("tanh_grad: no lowering yet");
};
const softmax: Lowering<"softmax"> = () => {
  throw new Error("softmax: no lowering yet");
};
const softmax_grad: Lowering<"softmax_grad"> = () => {
  throw new Error("softmax_grad: no lowering yet");
};
const log_softmax: Lowering<"log_softmax"> = () => {
  throw new Error("log_softmax: no lowering yet");
};
const log_softmax_grad: Lowering<"log_softmax_grad"> = () => {
  throw new Error("log_softmax_grad: no lowering yet");
};

export const activationLowerings = {
  relu,
  relu_grad,
  leaky_relu,
  leaky_relu_grad,
  relu6,
  relu6_grad,
  sigmoid,
  sigmoid_grad,
  tanh,
  tanh_grad,
  softmax,
  softmax_grad,
  log_softmax,
  log_softmax_grad,
};
