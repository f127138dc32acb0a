import assert from "node:assert/strict";
import fc from "fast-check";
import type { Backend, NumberArray } from "../../core/backend/backend.ts";
import { createWebgpuBackend, type WebgpuBackend } from "../../core/backend/webgpu/backend.ts";
import { GraphBuilder } from "../../core/graph/builder.ts";
import { fuse } from "../../core/graph/fuse.ts";
import { f32, type Graph, type Value } from "../../core/graph/graph.ts";
import type { ConvAttrs } from "../../core/ops/conv.ts";
import type { Step, WithEpilogue } from "../../core/ops/epilogue.ts";
import { type Shape, sizeOf } from "../../core/shape.ts";
import { maxMagnitude } from "../../core/verify/case.ts";
import * as activations from "../reference/activation.ts";
import { conv2d, conv2dGradInput } from "../reference/conv.ts";
import { batchNorm, batchNormGrad } from "../reference/norm.ts";
import { assertClose } from "../support/close.ts";
import { onWebgpu } from "../support/on_backends.ts";
import { arbitraryChoices, randomGraph, runGraph } from "../support/random_graph.ts";
import { backendFor, type Given, runOp } from "../support/run_op.ts";
import { uniform } from "../support/uniform.ts";

const pooled = { sanitizeOps: false, sanitizeResources: false };
const TILES = [8, 16] as const;
const EVERYWHERE = [1, 2, 3].flatMap((threads) => TILES.map((tile) => ({ threads, tile, guard: true })));

/** −0 is not 0; NaN is NaN, whatever its bits. */
function assertSame(found: NumberArray, wanted: NumberArray, what: string): void {
  const place = wanted.findIndex((number, i) => !Object.is(number, found[i]));
  assert.ok(place < 0, `${what}[${place}] is ${found[place]}, not ${wanted[place]}`);
}

Deno.test("a fused graph gives the bits of the one it was made of", pooled, async () => {
  const hosts = new Set<string>();
  const options = fc.constantFrom(...EVERYWHERE, ...EVERYWHERE.map((some) => ({ ...some, guard: false })));
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom(1, 3, 4, 8, 11, 20),
      fc.constantFrom(2, 5, 9),
      arbitraryChoices,
      fc.boolean(),
      fc.boolean(),
      options,
      async (channels, size, choices, training, spoil, options) => {
        const graph = randomGraph(channels, size, choices, training);
        for (const { op, attrs } of fuse(graph).nodes) if ((attrs as WithEpilogue).epilogue) hosts.add(op);
        const wanted = await runGraph(await backendFor({ threads: 1, tile: 8, fuse: false }), graph, spoil);
        const found = await runGraph(await backendFor(options), graph, spoil);
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

/** Values at which an activation has a bend: what is near one may come out on either side. */
const BENDS: Readonly<Record<string, readonly number[]>> = {
  ...{ relu: [0], leaky_relu: [0], relu6: [0, 6] },
  ...{ relu_grad: [0], leaky_relu_grad: [0], relu6_grad: [0, 6] },
};

/** Whether rounding may decide on which side of a bend some value of the graph lies. */
async function isOnEdge(graph: Graph, backend: Backend): Promise<boolean> {
  const bent = graph.nodes.flatMap(({ op, inputs }): [Value, readonly number[]][] =>
    BENDS[op] ? [[inputs.at(-1)!, BENDS[op]]] : []
  );
  const outputs = new Map(bent.map(([value], i) => [`${i}`, value]));
  const found = await runGraph(backend, { ...graph, outputs });
  return bent.some(([, bends], i) => {
    const most = maxMagnitude(found[i]!);
    const near = (x: number) => bends.some((bend) => x !== bend && Math.abs(x - bend) < 2e-6 * most);
    return found[i]!.some(near);
  });
}

onWebgpu("an op that reads a value by fours and adds it one by one is fused with the sum", async () => {
  const builder = new GraphBuilder();
  const [x] = builder.emit("relu", [builder.input("x", f32([2, 16, 5, 5]))], {});
  const weight = builder.state("weight", f32([16, 4, 3, 3]));
  const attrs = { stride: [1, 1], padding: [1, 1, 1, 1], dilation: [1, 1], groups: 4 } as const;
  const [y] = builder.emit("conv2d", [x!, weight], attrs);
  builder.output("y", builder.emit("add", [y!, x!], {})[0]!);
  const graph = builder.finish();
  const [wanted] = await runGraph(await backendFor({ threads: 1, tile: 8, fuse: false }), graph);
  const [found] = await runGraph(await backendFor("webgpu"), graph);
  assertClose(found, wanted!, 1e-5 * maxMagnitude(wanted!), "y");
});

onWebgpu("fused and unfused graphs give the CPU's numbers", async () => {
  const cpu = await backendFor({ threads: 1, tile: 8, fuse: false });
  const fused = await backendFor("webgpu") as WebgpuBackend;
  const unfused = await createWebgpuBackend({ gpu: fused.gpu, fuse: false });
  let compared = 0;
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom(1, 3, 4, 8, 11),
      fc.constantFrom(2, 5),
      arbitraryChoices,
      fc.boolean(),
      async (channels, size, choices, training) => {
        const graph = randomGraph(channels, size, choices, training);
        fc.pre(!await isOnEdge(graph, cpu));
        const wanted = await runGraph(cpu, graph);
        const names = [...graph.outputs.keys(), ...graph.states.keys()];
        for (const backend of [fused, unfused]) {
          const found = await runGraph(backend, graph);
          names.forEach((name, i) => {
            // Norms over few numbers, one after another, magnify what is rounded; and sums of numbers about 1 may be 0.
            assertClose(found[i], wanted[i]!, 3e-4 * Math.max(0.1, maxMagnitude(wanted[i]!)), name);
          });
        }
        compared++;
      },
    ),
    { numRuns: 5, seed: 5, endOnFailure: true },
  );
  assert.equal(compared, 5);
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
  const wanted = await runGraph(await backendFor({ threads: 1, tile: 8, fuse: false }), graph);
  for (const options of EVERYWHERE) {
    const found = await runGraph(await backendFor(options), graph);
    found.forEach((numbers, i) => assertSame(numbers, wanted[i]!, `output ${i}`));
  }
});

Deno.test("what an epilogue reads, too, is not written over by its op", pooled, async () => {
  const shape = [2, 12, 3, 5];
  const finish = {
    "the gradient of ReLU": ({ emit }: GraphBuilder, dx: Value, x: Value) => emit("relu_grad", [dx, x], {}),
    "a sum": ({ emit }: GraphBuilder, dx: Value, _x: Value, dy: Value) => emit("add", [dx, dy], {}),
  };
  for (const [what, last] of Object.entries(finish)) {
    const builder = new GraphBuilder();
    const [x, dy] = ["x", "dy"].map((name) =>
      builder.emit("relu", [builder.input(name, f32(shape))], {})[0]!
    );
    const vectors = ["weight", "mean", "invstd"].map((name) => builder.state(name, f32([12])));
    const [dx] = builder.emit("batch_norm_grad", [dy!, x!, ...vectors], { training: true });
    const [y] = last(builder, dx!, x!, dy!);
    builder.output("y", y!);
    // What is read later cannot be written over: the other is.
    const later = what === "a sum" ? x! : dy!;
    builder.output("later", builder.emit("add", [y!, later], {})[0]!);
    const graph = builder.finish();
    assert.ok(fuse(graph).nodes.length < graph.nodes.length);
    const wanted = await runGraph(await backendFor({ threads: 1, tile: 8, fuse: false }), graph);
    for (const options of EVERYWHERE) {
      const found = await runGraph(await backendFor({ ...options, guard: false }), graph);
      found.forEach((numbers, i) => assertSame(numbers, wanted[i]!, `${what}, output ${i}`));
    }
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
