import { sizeOf } from "../../../shape.ts";
import type { OpName } from "../../../ops/mod.ts";
import { around } from "../../memory_order.ts";
import { address, float, type Lower, type Lowering } from "./lowering.ts";
import type { Node } from "../../../graph/graph.ts";

type Elementwise = "relu" | "leaky_relu" | "relu6" | "sigmoid" | "tanh";

/** The slope is leaky ReLU's; the other kernels take it and do not look at it. */
function slopeOf(attrs: Partial<{ readonly negative_slope: number }>) {
  return float(attrs.negative_slope ?? 0);
}

function forward(kernel: Elementwise): Lowering<Elementwise> {
  return (lower, { inputs: [x], outputs: [y], attrs }) =>
    lower.call(kernel, address(x), address(y), sizeOf(y!.shape), slopeOf(attrs));
}

function backward(kernel: `${Elementwise}_grad`): Lowering<`${Elementwise}_grad`> {
  return (lower, { inputs: [dy, saved], outputs: [dx], attrs }) =>
    lower.call(kernel, address(dy), address(saved), address(dx), sizeOf(dx!.shape), slopeOf(attrs));
}

type Softmax = OpName & ("softmax" | "softmax_grad" | "log_softmax" | "log_softmax_grad");

/** Kernels over rows along one axis: the addresses of inputs and output, then how memory splits around the axis. */
function alongAxis(lower: Lower, { op, inputs, outputs, attrs }: Node<Softmax>): void {
  const { outer, extent, inner } = around(outputs[0]!.shape, attrs.dim);
  lower.call(op, ...inputs.map(address), address(outputs[0]), outer, extent, inner);
}

export const activationLowerings = {
  relu: forward("relu"),
  relu_grad: backward("relu_grad"),
  leaky_relu: forward("leaky_relu"),
  leaky_relu_grad: backward("leaky_relu_grad"),
  relu6: forward("relu6"),
  relu6_grad: backward("relu6_grad"),
  sigmoid: forward("sigmoid"),
  sigmoid_grad: backward("sigmoid_grad"),
  tanh: forward("tanh"),
  tanh_grad: backward("tanh_grad"),
  softmax: alongAxis,
  softmax_grad: alongAxis,
  log_softmax: alongAxis,
  log_softmax_grad: alongAxis,
};
