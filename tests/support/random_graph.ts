/** Graphs of random layers, for tests of what is done to graphs. */
import fc from "fast-check";
import type { Backend, NumberArray } from "../../core/backend/backend.ts";
import { GraphBuilder } from "../../core/graph/builder.ts";
import { gradient } from "../../core/graph/gradient.ts";
import { f32, type Graph, type Value } from "../../core/graph/graph.ts";
import type { ConvAttrs } from "../../core/ops/conv.ts";
import { type Shape, sizeOf } from "../../core/shape.ts";
import { uniform } from "./uniform.ts";

export type Choice = readonly [kind: number, which: number, other: number];

/** Of up to 14 layers. */
export const arbitraryChoices: fc.Arbitrary<Choice[]> = fc.array(
  fc.tuple(fc.nat(1000), fc.nat(1000), fc.nat(1000)),
  { minLength: 2, maxLength: 14 },
);

/** Layers one after another, each on a random value so far; sometimes a value in the middle is an output. */
export function randomGraph(
  channels: number,
  size: number,
  choices: readonly Choice[],
  training: boolean,
): Graph {
  const builder = new GraphBuilder();
  const { emit } = builder;
  const values = [builder.input("x", f32([2, channels, size, size]))];
  const state = (name: string, shape: Shape) => builder.state(`${name}${builder.states.size}`, f32(shape));
  const vector = (name: string) => state(name, [channels]);
  const conv = (x: Value, kernel: number, bias: boolean) => {
    const padding = (kernel - 1) / 2;
    const attrs = {
      padding: [padding, padding, padding, padding],
      stride: [1, 1],
      dilation: [1, 1],
      groups: 1,
    };
    const inputs = [
      x,
      state("weight", [channels, x.shape[1]!, kernel, kernel]),
      ...(bias ? [vector("bias")] : []),
    ];
    return emit("conv2d", inputs, attrs as unknown as ConvAttrs)[0]!;
  };
  const norm = (x: Value, training: boolean) => {
    const vectors = ["weight", "bias", "mean", "var"].map(vector);
    return emit("batch_norm", [x, ...vectors], { training, momentum: 0.1, eps: 1e-3 })[0]!;
  };
  const pool = { kernel: [3, 3], stride: [1, 1], padding: [1, 1, 1, 1], ceil_mode: false } as const;
  const steps: ((x: Value, other: Value) => Value)[] = [
    (x) => conv(x, 3, true),
    (x) => conv(x, 1, false),
    (x) => norm(conv(x, 1, false), training),
    (x) => norm(x, training),
    (x) => norm(x, false),
    (x) => emit("relu", [x], {})[0]!,
    (x) => emit("relu", [x], {})[0]!,
    (x) => emit("leaky_relu", [x], { negative_slope: 0.2 })[0]!,
    (x) => emit("leaky_relu", [x], { negative_slope: -0.2 })[0]!,
    (x) => emit("relu6", [x], {})[0]!,
    (x, other) => emit("add", [x, other], {})[0]!,
    (x, other) => emit("add", [other, x], {})[0]!,
    (x) => emit("max_pool2d", [x], { ...pool, dilation: [1, 1] })[0]!,
    (x) => emit("avg_pool2d", [x], { ...pool, count_include_pad: true })[0]!,
    // The gradient of concat is made of slices.
    (x, other) => conv(emit("concat", [x, other], { dim: 1 })[0]!, 1, false),
    (x, other) => {
      const halved = {
        ...pool,
        kernel: [2, 1],
        stride: [2, 1],
        padding: [0, 0, 0, 0],
        dilation: [1, 1],
      } as const;
      return emit("max_pool2d", [emit("concat", [x, other], { dim: 2 })[0]!], halved)[0]!;
    },
  ];
  for (const [kind, which, other] of choices) {
    // Mostly the newest value, else any of them.
    const x = which % 4 > 0 ? values.at(-1)! : values[which % values.length]!;
    values.push(steps[kind % steps.length]!(x, values[other % values.length]!));
    if (other % 11 === 0) builder.output(`middle${values.length}`, values.at(-1)!);
  }
  const y = values.at(-1)!;
  builder.output("y", y);
  if (training) {
    const wrt = [
      values[0]!,
      ...[...builder.states.values()].filter(({ name }) => /^(weight|bias)/.test(name)),
    ];
    const grads = gradient(builder, y, builder.input("dy", f32(y.shape)), wrt);
    [...grads.values()].forEach((grad, i) => builder.output(`grad${i}`, grad));
  }
  return builder.finish();
}

/** Runs the graph on numbers that are the same each time; returns its outputs, then its states. */
export async function runGraph(backend: Backend, graph: Graph, spoil = false): Promise<NumberArray[]> {
  const session = backend.compile({ graph });
  try {
    let seed = 1;
    for (const [name, { shape }] of graph.states) {
      session.writeState(name, uniform(seed++, sizeOf(shape), name.startsWith("var") ? 0.5 : -1, 1.5));
    }
    for (const [name, { shape }] of graph.inputs) {
      const data = uniform(seed++, sizeOf(shape), -2, 2);
      // Some zeros of both signs, and where it is to be spoilt, one of each number that is not finite.
      data.forEach((_, i) => i % 7 === 3 ? data[i] = i % 2 ? 0 : -0 : 0);
      if (spoil) [NaN, Infinity, -Infinity].forEach((number, i) => data[i * 11 % data.length] = number);
      session.write("graph", name, data);
    }
    await session.run("graph");
    const outputs = await Promise.all([...graph.outputs.keys()].map((name) => session.read("graph", name)));
    return [
      ...outputs,
      ...await Promise.all([...graph.states.keys()].map((name) => session.readState(name))),
    ];
  } finally {
    session.dispose();
  }
}
