/** The fully connected layer on inputs of any rank, as graph building. */
import type { Emit } from "../ops/op.ts";
import { sizeOf } from "../shape.ts";
import type { Value } from "./graph.ts";

/** `x [*, in] · weightᵀ + bias → [*, out]`: the op linear with all axes but the last as one, as in PyTorch. */
export function emitLinear(emit: Emit, x: Value, weight: Value, bias?: Value): Value {
  const multiply = (rows: Value) => emit("linear", bias ? [rows, weight, bias] : [rows, weight], {})[0]!;
  const features = x.shape.at(-1), others = x.shape.slice(0, -1);
  // What does not fit goes to the op as it is, whose error says so.
  if (x.shape.length === 2 || features === undefined || features !== weight.shape[1]) return multiply(x);
  const [rows] = emit("reshape", [x], { shape: [sizeOf(others), features] });
  const y = multiply(rows!);
  return emit("reshape", [y], { shape: [...others, y.shape[1]!] })[0]!;
}
