/**
 * Activations and their gradients, on T, a number or four of them. Conditions are such that NaN passes: `max` may drop it.
 */
import type { Activation } from "../../../ops/epilogue.ts";
import * as math from "./math.ts";

export type Formula = Activation | "sigmoid" | "tanh";
export type Width = "f32" | "vec4f";

/** How many numbers T is. */
export function numbersOf(width: Width): 1 | 4 {
  return width === "f32" ? 1 : 4;
}

/** Applies a function of one number to T. */
function each(width: Width, name: string, x: string): string {
  return width === "f32"
    ? `${name}(${x})`
    : `vec4f(${[..."xyzw"].map((c) => `${name}(${x}.${c})`).join(", ")})`;
}

/** `name(x: T) → T`; `slope` is an expression, leaky ReLU's. */
export function activate(formula: Formula, width: Width, slope: string, name = "activate"): string {
  const zero = `${width}()`;
  const body = {
    relu: `select(x, ${zero}, x < ${zero})`,
    leaky_relu: `select(x * ${slope}, x, x > ${zero})`,
    relu6: `select(select(x, ${zero}, x < ${zero}), ${width}(6.0), x > ${width}(6.0))`,
    sigmoid: each(width, "sigmoid_of", "x"),
    tanh: each(width, "tanh_of", "x"),
  }[formula];
  const needs = formula === "sigmoid"
    ? math.exp + math.sigmoid
    : formula === "tanh"
    ? math.exp + math.tanh
    : "";
  return `${needs}
fn ${name}(x: ${width}) -> ${width} {
  return ${body};
}`;
}

/**
 * `name(dy: T, saved: T) → T`, the gradient of an activation: dy · f′. `saved` is the output, but for leaky ReLU the
 * input; for ReLU and ReLU6 both tell the same.
 */
export function propagate(formula: Formula, width: Width, slope: string, name = "propagate"): string {
  const zero = `${width}()`, one = `${width}(1.0)`;
  const body = {
    relu: `select(${zero}, dy, saved > ${zero})`,
    leaky_relu: `select(dy * ${slope}, dy, saved > ${zero})`,
    relu6: `select(select(${zero}, dy, saved > ${zero}), ${zero}, saved >= ${width}(6.0))`,
    sigmoid: `dy * (saved * (${one} - saved))`,
    tanh: `dy * ((${one} - saved) * (${one} + saved))`,
  }[formula];
  return `
fn ${name}(dy: ${width}, saved: ${width}) -> ${width} {
  return ${body};
}`;
}
