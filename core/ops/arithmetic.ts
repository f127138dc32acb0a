/** Sums and products of equal shapes, and constants. */
import { f32, type TensorType } from "../graph/graph.ts";
import { formatShape, sameShape, type Shape } from "../shape.ts";
import { first, known, Misfit, type Op } from "./op.ts";

type None = Record<never, never>;

function sameShapes(inputs: readonly TensorType[]): TensorType[] {
  const a = first(inputs).shape;
  const b = first(inputs, 1).shape;
  if (!sameShape(a, b)) throw new Misfit(`the two sides differ: ${formatShape(a)} and ${formatShape(b)}`);
  return [f32(a)];
}

/** a + b; the shapes must be equal. */
export const add: Op<None> = {
  infer: sameShapes,
  inplace: [0, 1],
  gradient: (_emit, _node, [dy]) => [dy, dy],
};

/** a · b, element by element; the shapes must be equal. */
export const multiply: Op<None> = {
  infer: sameShapes,
  inplace: [0, 1],
  gradient: (emit, { inputs: [a, b] }, [dy], needs) => [
    needs[0] ? emit("multiply", [known(dy), known(b)], {})[0] : undefined,
    needs[1] ? emit("multiply", [known(dy), known(a)], {})[0] : undefined,
  ],
};

/** factor · x */
export const scale: Op<{ readonly factor: number }> = {
  infer: (inputs) => [f32(first(inputs).shape)],
  inplace: [0],
  gradient: (emit, { attrs }, [dy]) => [emit("scale", [known(dy)], attrs)[0]],
};

/** A constant of shape `shape`. */
export const fill: Op<{ readonly shape: Shape; readonly value: number }> = {
  infer: (_inputs, { shape }) => [f32(shape)],
};
