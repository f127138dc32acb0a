import assert from "node:assert/strict";
import fc from "fast-check";
import type { NumberArray } from "../../core/backend/backend.ts";
import type { WasmOptions } from "../../core/backend/wasm/backend.ts";
import { GraphBuilder } from "../../core/graph/builder.ts";
import { fuse } from "../../core/graph/fuse.ts";
import { gradient } from "../../core/graph/gradient.ts";
import { f32, type Graph, type Value } from "../../core/graph/graph.ts";
import type { ConvAttrs } from "../../core/ops/conv.ts";
import type { Step, WithEpilogue } from "../../core/ops/epilogue.ts";
import { type Shape, sizeOf } from "../../core/shape.ts";
import * as activations from "../reference/activation.ts";
import { conv2d, conv2dGradInput } from "../reference/conv.ts";
import { batchNorm, batchNormGrad } from "../reference/norm.ts";
import { assertClose } from "../support/close.ts";
import { backendFor, type Given, runOp } from "../support/run_op.ts";
import { uniform } from "../support/uniform.ts";

const pooled = { sanitizeOps: false, sanitizeResources: false };
const TILES = [8, 16] as const;
const EVERYWHERE = [1, 2, 3].flatMap((threads) => TILES.map((tile) => ({ threads, tile, guard: true })));

/** Runs the graph on numbers that are the same each time; returns its outputs, then its states. */
async function run(graph: Graph, options: WasmOptions, spoil: boolean): Promise<NumberArray[]> {
  const session = (await backendFor(options)).compile({ graph });
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

/** −0 is not 0; NaN is NaN, whatever its bits. */
function assertSame(found: NumberArray, wanted: NumberArray, what: string): void {
  const place = wanted.findIndex((number, i) => !Object.is(number, found[i]));
  assert.ok(place < 0, `${what}[${place}] is ${found[place]}, not ${wanted[place]}`);
}

type Choice = readonly [kind: number, which: number, other: number];

/** Layers one after another, each on a random value so far; sometimes a value in the middle is an output. */
function randomGraph(channels: number, size: number, choices: readonly Choice[], training: boolean): Graph {
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

Deno.test("a fused graph gives the bits of the one it was made of", pooled, async () => {
  const hosts = new Set<string>();
  const choices = fc.array(fc.tuple(fc.nat(1000), fc.nat(1000), fc.nat(1000)), {
    minLength: 2,
    maxLength: 14,
  });
  const options = fc.constantFrom(...EVERYWHERE, ...EVERYWHERE.map((some) => ({ ...some, guard: false })));
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom(1, 3, 4, 8, 11, 20),
      fc.constantFrom(2, 5, 9),
      choices,
      fc.boolean(),
      fc.boolean(),
      options,
      async (channels, size, choices, training, spoil, options) => {
        const graph = randomGraph(channels, size, choices, training);
        for (const { op, attrs } of fuse(graph).nodes) if ((attrs as WithEpilogue).epilogue) hosts.add(op);
        const wanted = await run(graph, { threads: 1, tile: 8, fuse: false }, spoil);
        const found = await run(graph, options, spoil);
        const names = [...graph.outputs.keys(), ...graph.states.keys()];
        names.forEach((name, i) => assertSame(found[i]!, wanted[i]!, name));
      },
    ),
    { numRuns: 150, seed: 3 },
  );
  assert.deepEqual([...hosts].sort(), [
    ...[
      "avg_pool2d_grad",
      "batch_norm",
      "batch_norm_grad",
      "conv2d",
      "conv2d_grad_input",
      "max_pool2d_grad",
      "slice",
    ],
  ]);
});

Deno.test("fully connected layers take norms and activations over", pooled, async () => {
  const builder = new GraphBuilder();
  const { emit } = builder;
  const state = (name: string, ...shape: number[]) => builder.state(name, f32(shape));
  const vectors = ["scale", "shift", "mean", "var"].map((name) => state(name, 13));
  const [hidden] = emit("linear", [builder.input("x", f32([7, 9])), state("w1", 13, 9), state("b1", 13)], {});
  const [normed] = emit("batch_norm", [hidden!, ...vectors], { training: false, momentum: 0, eps: 1e-5 });
  const [y] = emit("linear", [emit("relu", [normed!], {})[0]!, state("w2", 13, 13), state("b2", 13)], {});
  const [z] = emit("relu", [y!], {});
  const [dy] = emit("relu_grad", [
    emit("linear_grad_input", [z!, state("w3", 13, 5)], {})[0]!,
    state("saved", 7, 5),
  ], {});
  builder.output("z", z!);
  builder.output("dy", dy!);
  const graph = builder.finish();
  assert.equal(fuse(graph).nodes.length, 3);
  const wanted = await run(graph, { threads: 1, tile: 8, fuse: false }, false);
  for (const options of EVERYWHERE) {
    const found = await run(graph, options, false);
    found.forEach((numbers, i) => assertSame(numbers, wanted[i]!, `output ${i}`));
  }
});

/** Steps, and what they are in float64. */
const STEPS: Record<string, readonly Step["op"][]> = {
  "norm": ["batch_norm"],
  "norm and ReLU": ["batch_norm", "relu"],
  "norm, sum and leaky ReLU": ["batch_norm", "add", "leaky_relu"],
  "norm, leaky ReLU and sum": ["batch_norm", "leaky_relu", "add"],
  "sum": ["add"],
  "sum and ReLU6": ["add", "relu6"],
  "ReLU6 and sum": ["relu6", "add"],
  "ReLU": ["relu"],
  "the gradient of ReLU": ["relu_grad"],
  "sum and the gradient of leaky ReLU": ["add", "leaky_relu_grad"],
  "the gradient of ReLU6": ["relu6_grad"],
};

const SLOPE = 0.3;
const EPS = 1e-3;

/** The epilogue with inputs from `first` on, and the inputs that it needs for results of a shape. */
function epilogue(ops: readonly Step["op"][], first: number, shape: Shape) {
  const given: Given[] = [];
  const vector = (low: number): Given => ({
    shape: [shape[1]!],
    data: uniform(given.length + low, shape[1]!, low, 2),
  });
  const steps = ops.map((op): Step => {
    const start = first + given.length;
    if (op === "batch_norm") given.push(...[-1, -1, -1, 0.5].map(vector));
    else if (op === "add" || op.endsWith("_grad")) {
      given.push({ shape, data: uniform(given.length + 70, sizeOf(shape), -1, 8) });
    }
    const inputs = Array.from({ length: first + given.length - start }, (_, i) => start + i);
    return { op, inputs, eps: EPS, negative_slope: SLOPE };
  });
  return { steps, given };
}

/** What the epilogue makes of results, in float64. */
function finished(results: Float64Array, shape: Shape, steps: readonly Step[], inputs: readonly Given[]) {
  return steps.reduce((x, { op, inputs: places }): Float64Array => {
    const operands = places.map((place) => inputs[place]!.data);
    if (op === "batch_norm") {
      const [weight, bias, mean, variance] = operands;
      return batchNorm(shape, x, weight!, bias!, mean!, variance!, { training: false, momentum: 0, eps: EPS })
        .y;
    }
    if (op === "add") return x.map((value, i) => value + operands[0]![i]!);
    if (op === "relu" || op === "leaky_relu" || op === "relu6") {
      return x.map((value) => activations.values[op](value, SLOPE));
    }
    const forward = op.slice(0, -"_grad".length) as "relu" | "leaky_relu" | "relu6";
    return x.map((value, i) => activations.gradients[forward](value, operands[0]![i]!, SLOPE));
  }, results);
}

/** Runs the op everywhere: all must be the bits of the first. */
async function runEverywhere(
  op: "conv2d" | "conv2d_grad_input",
  inputs: Given[],
  attrs: ConvAttrs & { input: Shape },
) {
  const [first] = await runOp(op, inputs, attrs, EVERYWHERE[0]);
  for (const options of EVERYWHERE.slice(1)) {
    assert.deepEqual((await runOp(op, inputs, attrs, options))[0], first, JSON.stringify(options));
  }
  return first;
}

Deno.test("convolutions with every epilogue, in both directions, agree with float64", pooled, async () => {
  const shapes: [x: Shape, weight: Shape, y: Shape, groups: number, stride: number][] = [
    [[1, 3, 4, 5], [5, 3, 3, 3], [1, 5, 4, 5], 1, 1],
    [[2, 6, 6, 5], [21, 6, 3, 3], [2, 21, 3, 3], 1, 2],
    [[2, 6, 6, 6], [12, 1, 3, 3], [2, 12, 6, 6], 6, 1],
    [[1, 40, 25, 25], [16, 40, 3, 3], [1, 16, 25, 25], 1, 1],
  ];
  for (const [x, weight, y, groups, stride] of shapes) {
    const attrs = { stride: [stride, stride], padding: [1, 1, 1, 1], dilation: [1, 1], groups } as const;
    const reference = { x, weight, y, attrs };
    const image = { shape: x, data: uniform(1, sizeOf(x)) };
    const slopes = { shape: y, data: uniform(2, sizeOf(y)) };
    const weights = { shape: weight, data: uniform(3, sizeOf(weight)) };
    const bias = { shape: [y[1]!], data: uniform(4, y[1]!) };
    for (const [what, ops] of Object.entries(STEPS)) {
      const forward = epilogue(ops, 3, y), inputs = [image, weights, bias, ...forward.given];
      const truth = conv2d(reference, image.data, weights.data, bias.data);
      const found = await runEverywhere("conv2d", inputs, { ...attrs, epilogue: forward.steps, input: x });
      assertClose(found, finished(truth, y, forward.steps, inputs), 5e-5, `conv2d with ${what} ${y}`);

      const backward = epilogue(ops, 2, x), given = [slopes, weights, ...backward.given];
      const back = conv2dGradInput(reference, slopes.data, weights.data);
      const dx = await runEverywhere("conv2d_grad_input", given, {
        ...attrs,
        epilogue: backward.steps,
        input: x,
      });
      assertClose(dx, finished(back, x, backward.steps, given), 5e-5, `conv2d_grad_input with ${what} ${x}`);
    }
  }
});

Deno.test("batch norm's gradient behind activations agrees with float64", pooled, async () => {
  const training = true;
  for (const channels of [1, 3, 4, 7, 8, 12, 33]) {
    for (const op of ["relu", "leaky_relu", "relu6"] as const) {
      const shape = [2, channels, 9, 11];
      const [x, dy] = [uniform(1, sizeOf(shape), -2, 2), uniform(2, sizeOf(shape))];
      const vector = (seed: number, low: number, high: number) => ({
        shape: [channels],
        data: uniform(seed, channels, low, high),
      });
      const weight = vector(3, 1, 4),
        bias = vector(4, -1, 3),
        mean = vector(5, -0.5, 0.5),
        invstd = vector(6, 0.5, 1.5);
      const of = (i: number) => Math.floor(i / 99) % channels;
      const through = Float64Array.from(dy, (slope, i) => {
        const c = of(i);
        const y = (x[i]! - mean.data[c]!) * invstd.data[c]! * weight.data[c]! + bias.data[c]!;
        return activations.gradients[op](slope, y, SLOPE);
      });
      const wanted = batchNormGrad(shape, through, x, weight.data, mean.data, invstd.data, training);
      const inputs = [{ shape, data: dy }, { shape, data: x }, weight, mean, invstd, bias];
      const attrs = { training, activation: { op, negative_slope: SLOPE } };
      const [dx, dWeight, dBias] = await runOp("batch_norm_grad", inputs, attrs, EVERYWHERE[0]);
      for (const options of EVERYWHERE.slice(1)) {
        const others = await runOp("batch_norm_grad", inputs, attrs, options);
        assert.deepEqual(others, [dx, dWeight, dBias], JSON.stringify(options));
      }
      assertClose(dx, wanted.dx, 1e-5, `dx of ${op}, ${channels} channels`);
      assertClose(dWeight, wanted.dWeight, 1e-4, "dweight");
      assertClose(dBias, wanted.dBias, 1e-4, "dbias");
    }
  }
});
