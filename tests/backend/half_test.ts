/** Images of float16 on WebGPU, and what a GPU has to show before it is trusted with them or with subgroups. */
import assert from "node:assert/strict";
import { createBackend } from "../../cli/backend.ts";
import type { Gpu } from "../../core/backend/webgpu/device.ts";
import { areSubgroups, isHalfRight, tryHalf } from "../../core/backend/webgpu/trial.ts";
import type { WebgpuBackend } from "../../core/backend/webgpu/backend.ts";
import { GraphBuilder } from "../../core/graph/builder.ts";
import { f32 } from "../../core/graph/graph.ts";
import { noise, plain } from "../support/check_conv.ts";
import { onHalf } from "../support/on_backends.ts";
import { backendFor } from "../support/run_op.ts";

const HALF = { webgpu: { half: true } };

/** dx of a convolution with filters of one tap, 1, behind a relu that lets all through: what has been float16 in between. */
async function throughMemory(gradients: Float32Array): Promise<Float32Array> {
  const builder = new GraphBuilder(), shape = [1, 4, 1, gradients.length / 4];
  const dy = builder.input("dy", f32(shape)), y = builder.input("y", f32(shape));
  const weight = builder.input("weight", f32([4, 1, 1, 1]));
  // Another use of the gradient between them, so that it is not fused away.
  const [between] = builder.emit("relu_grad", [dy, y], {});
  const attrs = { ...plain, groups: 4, input: shape };
  const [dx] = builder.emit("conv2d_grad_input", [between!, weight], attrs);
  builder.output("dx", dx!);
  builder.output("sums", builder.emit("sum_channels", [between!], {})[0]!);
  const session = (await backendFor(HALF)).compile({ graph: builder.finish() });
  // Memory has the channels last: each number where it is asked for again.
  session.write("graph", "dy", gradients);
  session.write("graph", "y", gradients.map(() => 1));
  session.write("graph", "weight", [1, 1, 1, 1]);
  await session.run("graph");
  const found = await session.read("graph", "dx");
  session.dispose();
  return found as Float32Array;
}

onHalf("gradients far below float16's smallest number count, and large ones stay finite", async () => {
  const small = noise([40], 1).map((x) => x * 1e-7);
  const found = await throughMemory(small);
  // Half a unit of the last of eleven bits, or a whole one where a driver does not round to the nearest.
  small.forEach((x, i) => assert.ok(Math.abs(found[i]! - x) <= Math.max(2 ** -10 * Math.abs(x), 2 ** -36)));
  assert.ok(found.some((x, i) => x !== small[i]), "these have not been float16");
  const large = await throughMemory(Float32Array.of(1000, -1000, 15, 0.5));
  assert.deepEqual([...large], [65504 / 4096, -65504 / 4096, 15, 0.5]);
});

onHalf("gradients that are not finite stay so, so that the run notices", async () => {
  const found = await throughMemory(Float32Array.of(NaN, Infinity, -Infinity, 1));
  assert.deepEqual([...found].map(Number.isFinite), [false, false, false, true]);
});

Deno.test("a driver that computes zeros, or wrongly, is found out", () => {
  const product = (lane: number) => (lane - 0.5) * ((lane + 1) % 256 - 0.5) / 256;
  const right = Float16Array.from({ length: 256 }, (_, lane) => product(lane));
  assert.ok(isHalfRight(right));
  assert.ok(!isHalfRight(new Float16Array(256)));
  assert.ok(!isHalfRight(right.map((x, lane) => lane === 200 ? x * 1.01 : x)));
});

Deno.test("subgroups are trusted where they are neighbours in order, all of one size", () => {
  const answers = (size: number) =>
    Uint32Array.from(
      Array.from({ length: 256 }, (_, lane) => {
        const first = lane - lane % size;
        return [size, lane % size, size * first + size * (size - 1) / 2, lane ^ 2];
      }).flat(),
    );
  for (const size of [4, 8, 32, 64, 128]) assert.ok(areSubgroups(answers(size)), `${size}`);
  assert.ok(!areSubgroups(new Uint32Array(1024)));
  // Every other invocation; and the last subgroup smaller than the others.
  assert.ok(!areSubgroups(answers(32).map((x, i) => i % 4 === 1 ? (i >> 2) % 2 * 16 + (i >> 3) % 16 : x)));
  assert.ok(!areSubgroups(answers(32).map((x, i) => i % 4 === 0 && i >= 4 * 224 ? 16 : x)));
});

Deno.test("float16 is refused in one line: by a GPU that has none, by the CPU", async () => {
  const gpu = { name: "Small GPU", device: { features: new Set() } } as unknown as Gpu;
  const none = /^UserError: the GPU \(Small GPU\) has no float16 \(shader-f16\): leave it at float32$/;
  await assert.rejects(tryHalf(gpu), none);
  await assert.rejects(
    createBackend({ amp: true, threads: 1 }),
    /^UserError: --amp is for a GPU \(--device webgpu\): the CPU computes with float32$/,
  );
});

onHalf("a GPU that has float16 shows it", async () => {
  const { gpu, description } = await backendFor(HALF) as WebgpuBackend;
  await tryHalf(gpu);
  assert.match(description, /images of float16/);
});
