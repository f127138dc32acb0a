/**
 * Epilogues: what an op does to its result before it writes it, in the place of further ops. Nobody asks for one; the
 * backend's pass over the graph (core/graph/fuse.ts) makes them.
 */
import type { OpName } from "./mod.ts";

export type Activation = "relu" | "leaky_relu" | "relu6";

/** An op that the epilogue stands for. */
export interface Step {
  readonly op: OpName & ("batch_norm" | "add" | Activation | `${Activation}_grad`);
  /** Indices, among the node's inputs, of those that this op had besides the result. */
  readonly inputs: readonly number[];
  /** Of batch norm, by the running statistics. */
  readonly eps?: number;
  /** Of leaky ReLU. */
  readonly negative_slope?: number;
}

/** Attributes of ops that can have one. */
export interface WithEpilogue {
  /**
   * In order: at most a batch norm by running statistics, then at most one activation with at most one sum before or after it;
   * or at most a sum, then the gradient of an activation.
   */
  readonly epilogue?: readonly Step[];
}

/** The inputs without those of the epilogue, which come last. */
export function ownInputs<T>(inputs: readonly T[], { epilogue = [] }: WithEpilogue): readonly T[] {
  return inputs.slice(0, inputs.length - epilogue.reduce((sum, step) => sum + step.inputs.length, 0));
}

/** Orders of steps, each a letter: a norm, a sum, an activation, the gradient of one. */
const AFTER_PRODUCT = /^(n?s?a?|n?as|s?g)$/;
const AFTER_NORM = /^(s?a?|as)$/;
const AFTER_OTHERS = /^(s?a?|as|s?g)$/;

/** The ops that can have an epilogue, and which. */
const HOSTS: { readonly [K in OpName]?: RegExp } = {
  conv2d: AFTER_PRODUCT,
  conv2d_grad_input: AFTER_PRODUCT,
  linear: AFTER_PRODUCT,
  linear_grad_input: AFTER_PRODUCT,
  batch_norm: AFTER_NORM,
  batch_norm_grad: AFTER_OTHERS,
  max_pool2d_grad: AFTER_OTHERS,
  avg_pool2d_grad: AFTER_OTHERS,
  adaptive_avg_pool2d_grad: AFTER_OTHERS,
  slice: AFTER_OTHERS,
};

/** Whether an op can have these steps, in this order. */
export function isEpilogue(op: OpName, steps: readonly Step[]): boolean {
  return HOSTS[op]?.test(steps.map(({ op }) => letterOf(op)).join("")) ?? false;
}

function letterOf(op: Step["op"]): string {
  if (op === "batch_norm") return "n";
  if (op === "add") return "s";
  return op.endsWith("_grad") ? "g" : "a";
}
