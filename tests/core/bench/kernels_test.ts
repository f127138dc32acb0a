import assert from "node:assert/strict";
import { convolutionOf, imageText, windowText } from "../../../core/bench/convolution.ts";
import { convolutionShapes, gemmCases, memoryCases } from "../../../core/bench/kernel_cases.ts";
import { type KernelResult, timeKernel } from "../../../core/bench/kernel_time.ts";
import { caseTable, convolutionTable } from "../../../core/bench/kernels_text.ts";
import { createWasmBackend } from "../../../core/backend/wasm/backend.ts";
import { workloadGraph } from "../../../core/bench/workload.ts";
import * as nn from "../../../core/nn/mod.ts";
import { createWebgpuBackend } from "../../../core/backend/webgpu/backend.ts";
import { findAdapter, nameOf } from "../../../core/backend/webgpu/device.ts";
import { nanosecondsFrom } from "../../../core/backend/webgpu/clock.ts";
import { watchDevice } from "../../../core/backend/webgpu/faults.ts";
import { hasClock } from "../../../core/backend/webgpu/timing.ts";
import { onWebgpu } from "../../support/on_backends.ts";
import { backendFor } from "../../support/run_op.ts";

/** Four convolutions, of which two have the same shape, and a linear layer. */
class Net extends nn.Module {
  stem = new nn.Conv2d(3, 32, 3, { padding: 1, stride: 2, bias: false });
  pool = new nn.MaxPool2d(2);
  a = new nn.Conv2d(32, 32, 3, { padding: 1 });
  b = new nn.Conv2d(32, 32, 3, { padding: 1 });
  c = new nn.Conv2d(32, 32, 3, { padding: 1, groups: 4 });
  relu = new nn.ReLU();
  fc = new nn.Linear(32 * 16 * 16, 2);

  forward(x: nn.Tensor): nn.Tensor {
    const y = this.b.forward(this.a.forward(this.pool.forward(this.stem.forward(x))));
    return this.fc.forward(nn.flatten(this.relu.forward(this.c.forward(y))));
  }
}

const graph = workloadGraph(new Net(), {
  mode: "train",
  batch: 64,
  input: [3, 64, 64],
  optimizer: { name: "sgd" },
});

Deno.test("a network's convolutions: each shape once, in every direction that a step takes", () => {
  const shapes = convolutionShapes("net", graph);
  assert.deepEqual(
    shapes.map((
      { layer, count, convolution },
    ) => [layer, count, windowText(convolution), imageText(convolution)]),
    [
      ["stem", 1, "3×3/2", "3×64×64 → 32"],
      ["a", 2, "3×3", "32×16×16 → 32"],
      ["c", 1, "3×3, 4 groups", "32×16×16 → 32"],
      ["fc", 1, "", "8192 → 2"],
    ],
  );
  assert.deepEqual(shapes.map(({ cases }) => Object.values(cases).map(({ name }) => name)), [
    ["net/stem/forward", "net/stem/to-weights"], // Nobody wants a gradient to pixels.
    ["net/a/forward", "net/a/to-input", "net/a/to-weights"],
    ["net/c/forward", "net/c/to-input", "net/c/to-weights"],
    ["net/fc/forward", "net/fc/to-input", "net/fc/to-weights"],
  ]);
  const { cases } = shapes[1]!;
  for (const item of Object.values(cases)) {
    const { x, weight, direction } = convolutionOf(item.node)!;
    assert.deepEqual([x, weight, item], [[64, 32, 16, 16], [32, 32, 3, 3], cases[direction]]);
  }
});

Deno.test("products of matrices are M × N × K", () => {
  const [item] = gemmCases([[5, 6, 7]]);
  assert.equal(item!.name, "gemm/5x6x7");
  const [x, weight] = item!.node.inputs.map(({ shape }) => shape);
  assert.deepEqual([x, weight, item!.node.outputs[0]!.shape], [[5, 7], [6, 7], [5, 6]]);
});

Deno.test("ops that only move memory: the largest of each kind, with what makes its places", () => {
  const cases = memoryCases([graph.nodes]);
  const relu = cases.find(({ name }) => name === "memory/relu");
  assert.deepEqual(relu!.node.outputs[0]!.shape, [64, 32, 16, 16]);
  const pool = cases.find(({ name }) => name === "memory/max_pool2d_grad");
  assert.equal(pool!.before!.op, "max_pool2d");
  assert.ok(!cases.some(({ node }) => node.op.startsWith("conv") || node.op === "cross_entropy"));
});

Deno.test("cases run by themselves, whatever they read", async () => {
  const backend = await createWasmBackend({ threads: 2, guard: true });
  try {
    const roof = { gflops: 1, gigabytes: 1 };
    const [memory] = memoryCases([backend.nodesOf(graph)]).filter(({ name }) => name.endsWith("pool2d_grad"));
    const [gemm] = gemmCases([[8, 8, 8]]);
    const shapes = convolutionShapes("net", graph);
    for (const item of [memory!, gemm!, ...Object.values(shapes[2]!.cases)]) {
      const { name, milliseconds, runs, macs, bytes, roof: { gflops, gigabytes } } = await timeKernel(
        backend,
        item,
        1,
        roof,
      );
      assert.equal(name, item.name);
      assert.ok(milliseconds > 0 && runs >= 3 && bytes > 0 && gflops > 0, name);
      // Where there is arithmetic, the copy is not measured again.
      assert.equal(gigabytes === 1, macs > 0, name);
    }
  } finally {
    backend.close();
  }
});

onWebgpu("cases run there, under the roof that is given", async () => {
  const backend = await backendFor("webgpu");
  const roof = { gflops: 2, gigabytes: 3 };
  const [pool] = memoryCases([graph.nodes]).filter(({ name }) => name.endsWith("pool2d_grad"));
  const result = await timeKernel(backend, pool!, 1, roof);
  assert.ok(result.milliseconds > 0 && result.kernels.length > 0);
  assert.deepEqual(result.roof, roof);
});

onWebgpu("a GPU without a clock is timed from outside, by many calls at once", async () => {
  const adapter = await findAdapter();
  const device = await adapter!.requestDevice(), name = nameOf(adapter!);
  const gpu = { device, name, adapter: name, software: true, watch: watchDevice(device, name) };
  assert.ok(!hasClock(gpu));
  const backend = await createWebgpuBackend({ gpu });
  const [product] = gemmCases([[8, 64, 64]]), roof = { gflops: 1, gigabytes: 1 };
  const [blind, seen] = [
    await timeKernel(backend, product!, 1, roof),
    await timeKernel(await backendFor("webgpu"), product!, 1, roof),
  ];
  assert.deepEqual(blind.kernels, seen.kernels);
  assert.ok(blind.milliseconds > 0);
  backend.close();
});

Deno.test("a GPU's clock that does not tell nanoseconds is seen by another, and small differences are not", () => {
  assert.deepEqual([0.9, 1, 1.3, 10, 83.3].map(nanosecondsFrom), [1, 1, 1, 10, 83.3]);
});

onWebgpu("its peak is what registers can do, more than any product does", async () => {
  const backend = await backendFor("webgpu");
  const [product] = gemmCases([[128, 128, 128]]);
  const peak = await backend.peak(1);
  const { milliseconds, macs } = await timeKernel(backend, product!, 1, { gflops: 1, gigabytes: 1 });
  assert.ok(peak > macs / milliseconds * 1000, `${peak}`);
});

function result(name: string, milliseconds: number, macs: number): KernelResult {
  const roof = { gflops: 100, gigabytes: 10 };
  const kernels = [name.endsWith("input") ? "winograd" : "gemm"];
  return {
    name,
    convolution: undefined,
    size: "8×8",
    kernels,
    milliseconds,
    runs: 3,
    macs,
    bytes: 2 ** 20,
    roof,
  };
}

Deno.test("tables: the layer with most time in a step first, and their sum", () => {
  const results = new Map([
    result("net/stem/forward", 10, 1e8),
    result("net/a/forward", 20, 5e8),
    result("net/a/to-input", 20, 1e9),
  ].map((item) => [item.name, item]));
  const lines = convolutionTable(convolutionShapes("net", graph), results).map((line) => line.split(/ {2,}/));
  assert.deepEqual(lines, [
    ["layer", "image", "window", "×", "ms a step", "forward", "to input", "to weights"],
    ["a", "32×16×16 → 32", "3×3", "2", "80.00", "88.9 %", "50.0", "50.0 %", "100.0", "100.0 % W", "–"],
    ["stem", "3×64×64 → 32", "3×3/2", "1", "10.00", "11.1 %", "20.0", "20.0 %", "–", "–"],
    ["all", "3", "90.00", "44.0", "44.0 %", "100.0", "100.0 %", "–"],
  ]);
  assert.deepEqual(convolutionTable([], results), []);
  const [header, line] = caseTable("op", [result("memory/relu", 1, 0)]).map((line) => line.split(/ {2,}/));
  assert.deepEqual(header, ["op", "ms", "MiB moved", "rate", "of roof"]);
  assert.deepEqual(line, ["relu", "8×8", "1.000", "1.0", "1.0", "GB/s", "10.5 % copy"]);
});
