/** Ops on each number by itself: arithmetic and activations. */
import type { Value } from "../../../graph/graph.ts";
import { sizeOf } from "../../../shape.ts";
import { type Bound, type Constant, float, groupsFor, reads, writes } from "../kernel.ts";
import { elements } from "../wgsl/elements.ts";
import { activate, type Formula, propagate } from "../wgsl/formula.ts";
import type { Lower, Lowering } from "./lowering.ts";

interface Elementwise {
  readonly name: string;
  readonly inputs: Readonly<Record<string, Value | undefined>>;
  readonly output: Value | undefined;
  readonly formula: string;
  readonly helpers?: string;
  readonly numbers?: Readonly<Record<string, Constant>>;
}

/** A kernel on four numbers at a time: buffers are padded to whole fours. */
function four(lower: Lower, { name, inputs, output, formula, helpers, numbers }: Elementwise): void {
  const count = Math.ceil(sizeOf(output!.shape) / 4);
  const bound = Object.entries(inputs).map(([key, value]): [string, Bound] => [key, reads(value, "vec4f")]);
  lower.add({
    kernel: name,
    code: elements(formula, helpers),
    buffers: { ...Object.fromEntries(bound), y: writes(output, "vec4f") },
    numbers: { count, ...numbers },
    groups: groupsFor(count),
  });
}

const add: Lowering<"add"> = (lower, { inputs: [a, b], outputs: [output] }) =>
  four(lower, { name: "add", inputs: { a, b }, output, formula: "read_a(i) + read_b(i)" });

const multiply: Lowering<"multiply"> = (lower, { inputs: [a, b], outputs: [output] }) =>
  four(lower, { name: "multiply", inputs: { a, b }, output, formula: "read_a(i) * read_b(i)" });

const scale: Lowering<"scale"> = (lower, { inputs: [x], outputs: [output], attrs }) =>
  four(lower, {
    name: "scale",
    inputs: { x },
    output,
    formula: "read_x(i) * n.factor",
    numbers: { factor: float(attrs.factor) },
  });

/** y = value */
export function fillWith(lower: Lower, output: Value | undefined, value: number): void {
  four(lower, {
    name: "fill",
    inputs: {},
    output,
    formula: "vec4f(n.value)",
    numbers: { value: float(value) },
  });
}

const fill: Lowering<"fill"> = (lower, { outputs: [output], attrs }) => fillWith(lower, output, attrs.value);

type Slope = { readonly negative_slope?: number };

function forward(formula: Formula): Lowering<Formula> {
  return (lower, { inputs: [x], outputs: [output], attrs }) =>
    four(lower, {
      name: formula,
      inputs: { x },
      output,
      formula: "activate(read_x(i))",
      helpers: activate(formula, "vec4f", "n.slope"),
      numbers: { slope: float((attrs as Slope).negative_slope ?? 0) },
    });
}

function backward(formula: Formula): Lowering<`${Formula}_grad`> {
  return (lower, { inputs: [dy, saved], outputs: [output], attrs }) =>
    four(lower, {
      name: `${formula}_grad`,
      inputs: { dy, saved },
      output,
      formula: "propagate(read_dy(i), read_saved(i))",
      helpers: propagate(formula, "vec4f", "n.slope"),
      numbers: { slope: float((attrs as Slope).negative_slope ?? 0) },
    });
}

export const elementLowerings = {
  add,
  multiply,
  scale,
  fill,
  relu: forward("relu"),
  relu_grad: backward("relu"),
  leaky_relu: forward("leaky_relu"),
  leaky_relu_grad: backward("leaky_relu"),
  relu6: forward("relu6"),
  relu6_grad: backward("relu6"),
  sigmoid: forward("sigmoid"),
  sigmoid_grad: backward("sigmoid"),
  tanh: forward("tanh"),
  tanh_grad: backward("tanh"),
};
