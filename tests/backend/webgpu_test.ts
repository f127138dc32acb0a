/** What is WebGPU's own: memory in pieces, devices that are lost; and whole runs beside the CPU's. */
import assert from "node:assert/strict";
import { type Backend, OutOfMemory } from "../../core/backend/backend.ts";
import { openGpu } from "../../core/backend/webgpu/device.ts";
import { createWebgpuBackend, type WebgpuBackend } from "../../core/backend/webgpu/backend.ts";
import { GraphBuilder } from "../../core/graph/builder.ts";
import { f32, type Graph } from "../../core/graph/graph.ts";
import { classification } from "../../core/train/classification.ts";
import { createTrainer, type TrainerOptions } from "../../core/train/trainer.ts";
import { assertClose } from "../support/close.ts";
import { onWebgpu } from "../support/on_backends.ts";
import { limitMemory } from "../support/small_gpu.ts";
import { backendFor } from "../support/run_op.ts";
import { uniform } from "../support/uniform.ts";
import { tinyData, TinyNet } from "../support/tiny.ts";

const STEPS = 7;

/** With everything that a step may do beside its update. */
function optionsFor(backend: Backend): TrainerOptions {
  return {
    backend,
    model: new TinyNet(),
    data: tinyData(),
    batch_size: 8,
    epochs: 3,
    optimizer: { name: "sgd", momentum: 0.9, weight_decay: 1e-3 },
    lr: () => 0.05,
    task: classification({ label_smoothing: 0.1, mix: { mixup: 0.2, cutmix: 1 } }),
    clip_grad: 1,
    ema_decay: 0.9,
    seed: 5,
  };
}

/** The losses of some steps, and the weights after them. */
async function train(options: TrainerOptions) {
  const trainer = createTrainer(options), { session } = trainer;
  await trainer.initialise();
  const losses: number[] = [];
  while (losses.length < STEPS) {
    losses.push((await trainer.step()).loss);
    if (trainer.progress.step === 5) Object.assign(trainer.progress, { step: 0, epoch: 1 });
  }
  const weights = await Promise.all(session.stateNames.map((name) => session.readState(name)));
  session.dispose();
  return { losses, weights: new Map(session.stateNames.map((name, i) => [name, weights[i]!])) };
}

onWebgpu("a network trains as on the CPU", async () => {
  const expected = await train(optionsFor(await backendFor({ threads: 2 })));
  const found = await train(optionsFor(await backendFor("webgpu")));
  assertClose(found.losses, expected.losses, { relative: 1e-5 }, "losses");
  for (const [name, data] of expected.weights) {
    assertClose(found.weights.get(name), data, { absolute: 1e-5, relative: 1e-4 }, name);
  }
});

/** y = 2x, beside a state that nobody reads. */
function doubled(count: number): Graph {
  const builder = new GraphBuilder();
  const x = builder.input("x", f32([count]));
  builder.state("unused", f32([count]));
  builder.output("y", builder.emit("scale", [x], { factor: 2 })[0]!);
  return builder.finish();
}

/** A linear layer, its gradient and its update, with tensors of up to 5 KB. */
async function stepOfLayer(backend: Backend) {
  const builder = new GraphBuilder();
  const x = builder.input("x", f32([6, 32]));
  const [weight, momentum] = ["weight", "momentum"].map((name) => builder.state(name, f32([40, 32])));
  const [y] = builder.emit("linear", [x, weight!], {});
  const [dw] = builder.emit("linear_grad_weight", [y!, x], {});
  const [one] = builder.emit("fill", [], { shape: [], value: 1 });
  const hyper = builder.input("hyper", f32([8]));
  const attrs = { momentum: 0.9, dampening: 0, nesterov: true, weightDecay: [0.1], lrScale: [1] };
  builder.emit("sgd", [hyper, one!, one!, weight!, dw!, momentum!], attrs);
  builder.output("y", y!);
  const session = backend.compile({ step: builder.finish() });
  session.write("step", "x", uniform(1, 192));
  session.write("step", "hyper", Float32Array.of(0.1, 0, 0, 0, 0, 0, 0, 0));
  session.writeState("weight", uniform(2, 1280));
  session.writeState("momentum", uniform(3, 1280));
  await session.run("step");
  const made = [session.read("step", "y"), session.readState("weight"), session.readState("momentum")];
  const result = await Promise.all(made);
  session.dispose();
  return result;
}

onWebgpu("tensors larger than a binding or a buffer are split", async () => {
  const { gpu } = await backendFor("webgpu") as WebgpuBackend;
  const limits = { maxStorageBufferBindingSize: 1024, maxBufferSize: 2500 };
  const found = await stepOfLayer(await createWebgpuBackend({ gpu, limits }));
  const expected = await stepOfLayer(await backendFor({ threads: 2 }));
  expected.forEach((data, i) => assertClose(found[i], data, { absolute: 2e-6, relative: 2e-6 }));
});

onWebgpu("the same run gives the same bits", async () => {
  const options = optionsFor(await backendFor("webgpu"));
  assert.deepEqual(await train(options), await train(options));
});

onWebgpu("memory that the GPU does not have is told before anything runs, with what can be had", async () => {
  const gpu = await openGpu(), { device } = gpu;
  const backend = await createWebgpuBackend({ gpu });
  limitMemory(device, 10e6);
  const session = backend.compile({ graph: doubled(2 ** 21) });
  const error = await session.ready.then(() => undefined, (error) => error);
  assert.ok(error instanceof OutOfMemory);
  assert.equal(error.needed, 3 * 2 ** 23);
  assert.ok(error.available > 9.5e6 && error.available <= 10e6, `${error.available}`);
  await assert.rejects(session.run("graph"), OutOfMemory);
  backend.close();
});

onWebgpu("a GPU that is lost is told in one line", async () => {
  const backend = await createWebgpuBackend();
  const session = backend.compile({ graph: doubled(8) });
  session.write("graph", "x", Float32Array.of(1, 2, 3, 4, 5, 6, 7, 8));
  await session.run("graph");
  assert.deepEqual([...await session.read("graph", "y")], [2, 4, 6, 8, 10, 12, 14, 16]);
  backend.close();
  await assert.rejects(session.run("graph"), /^DeviceLost: the GPU \(.+\) was lost: .+/);
});

onWebgpu("a profile is a run: the same results, and a time for every dispatch", async () => {
  const builder = new GraphBuilder();
  const x = builder.input("x", f32([2, 3, 5, 5]));
  const [y] = builder.emit("adaptive_avg_pool2d", [x], { output: [1, 1] });
  builder.output("y", builder.emit("scale", [y!], { factor: 2 })[0]!);
  const session = (await backendFor("webgpu")).compile({ graph: builder.finish() });
  session.write("graph", "x", new Float32Array(150).fill(1.5));
  const times = await session.profile("graph");
  assert.deepEqual(times.map(({ kernel, node }) => [kernel, node.op]), [
    ["adaptive_avg_pool2d", "adaptive_avg_pool2d"],
    ["scale", "scale"],
  ]);
  assert.ok(times.every(({ milliseconds }) => milliseconds > 0));
  assertClose(await session.read("graph", "y"), new Array(6).fill(3), 1e-6);
  session.dispose();
});
