/** Activations and softmax. Where the output tells the derivative, the input need not be kept. */
import { f32 } from "../graph/graph.ts";
import { first, known, Misfit, type Op, sameAsInput } from "./op.ts";

type None = Record<never, never>;

/** max(x, 0) */
export const relu: Op<None> = {
  infer: sameAsInput,
  inplace: [0],
  gradient: (emit, { outputs: [y] }, [dy]) => [emit("relu_grad", [known(dy), known(y)], {})[0]],
};

/** `(dy, y) → dx` = y > 0 ? dy : 0 */
export const relu_grad: Op<None> = { infer: sameAsInput, inplace: [0, 1] };

export interface LeakyReluAttrs {
  readonly negative_slope: number;
}

/** x > 0 ? x : negative_slope · x */
export const leaky_relu: Op<LeakyReluAttrs> = {
  infer: sameAsInput,
  inplace: [0],
  gradient(emit, { inputs: [x], outputs: [y], attrs }, [dy]) {
    // y > 0 where x > 0, unless the slope turns signs round.
    const saved = attrs.negative_slope >= 0 ? y : x;
    return [emit("leaky_relu_grad", [known(dy), known(saved)], attrs)[0]];
  },
};

/** `(dy, saved) → dx` = saved > 0 ? dy : negative_slope · dy; saved is x, or y where it has the same sign */
export const leaky_relu_grad: Op<LeakyReluAttrs> = { infer: sameAsInput, inplace: [0, 1] };

/** min(max(x, 0), 6) */
export const relu6: Op<None> = {
  infer: sameAsInput,
  inplace: [0],
  gradient: (emit, { outputs: [y] }, [dy]) => [emit("relu6_grad", [known(dy), known(y)], {})[0]],
};

/** `(dy, y) → dx` = 0 < y < 6 ? dy : 0 */
export const relu6_grad: Op<None> = { infer: sameAsInput, inplace: [0, 1] };

/** 1 / (1 + exp(−x)) */
export const sigmoid: Op<None> = {
  infer: sameAsInput,
  inplace: [0],
  gradient: (emit, { outputs: [y] }, [dy]) => [emit("sigmoid_grad", [known(dy), known(y)], {})[0]],
};

/** `(dy, y) → dx` = dy · y · (1 − y) */
export const sigmoid_grad: Op<None> = { infer: sameAsInput, inplace: [0, 1] };

/** tanh(x) */
export const tanh: Op<None> = {
  infer: sameAsInput,
  inplace: [0],
  gradient: (emit, { outputs: [y] }, [dy]) => [emit("tanh_grad", [known(dy), known(y)], {})[0]],
};

/** `(dy, y) → dx` = dy · (1 − y²) */
export const tanh_grad: Op<None> = { infer: sameAsInput, inplace: [0, 1] };

export interface SoftmaxAttrs {
  /** Axis along which the results sum to 1; not negative. */
  readonly dim: number;
}

function inferSoftmax(inputs: Parameters<Op<SoftmaxAttrs>["infer"]>[0], { dim }: SoftmaxAttrs) {
  const { shape } = first(inputs);
  if (dim < 0 || dim >= shape.length) throw new Misfit(`there is no axis ${dim} among ${shape.length}`);
  return [f32(shape)];
}

/** exp(x) / Σ exp(x) along `dim` */
export const softmax: Op<SoftmaxAttrs> = {
  infer: inferSoftmax,
  gradient: (emit, { outputs: [y], attrs }, [dy]) => [emit("softmax_grad", [known(dy), known(y)], attrs)[0]],
};

/** `(dy, y) → dx` = y · (dy − Σ dy·y) */
export const softmax_grad: Op<SoftmaxAttrs> = { infer: inferSoftmax };

/** x − log Σ exp(x) along `dim` */
export const log_softmax: Op<SoftmaxAttrs> = {
  infer: inferSoftmax,
  gradient: (
    emit,
    { outputs: [y], attrs },
    [dy],
  ) => [emit("log_softmax_grad", [known(dy), known(y)], attrs)[0]],
};

/** `(dy, y) → dx` = dy − exp(y) · Σ dy */
export const log_softmax_grad: Op<SoftmaxAttrs> = { infer: inferSoftmax };
