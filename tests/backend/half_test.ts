/** Products of float16 on WebGPU, and what a GPU has to show before it is trusted with them or with subgroups. */
import assert from "node:assert/strict";
import { createBackend } from "../../cli/backend.ts";
import type { Gpu } from "../../core/backend/webgpu/device.ts";
import { areSubgroups, isHalfRight, tryHalf } from "../../core/backend/webgpu/trial.ts";
import type { WebgpuBackend } from "../../core/backend/webgpu/backend.ts";
import { type Shape, sizeOf } from "../../core/shape.ts";
import { matrixProduct } from "../reference/conv.ts";
import { checkConv, noise, plain, shapesOf } from "../support/check_conv.ts";
import { onHalf } from "../support/on_backends.ts";
import { backendFor, runOp } from "../support/run_op.ts";

const HALF = { webgpu: { half: true } };

/** Numbers in (−1, 1) that float16 has. */
const short = (shape: Shape, seed: number) => noise(shape, seed).map((x) => Math.round(256 * x) / 256);

onHalf("products of numbers that float16 has are as close as those of float32", async () => {
  const shapes = shapesOf([2, 20, 6, 7], [38, 20, 3, 3], { ...plain, padding: [1, 1, 1, 1] });
  await checkConv(shapes, true, HALF, short);
});

/** Of the numbers of x · wᵀ: the errors, in sums of absolute values of their terms. */
async function errorsOf(
  op: "linear" | "linear_grad_input",
  [m, n, k]: Shape,
  a: Float32Array,
  b: Float32Array,
) {
  const isForward = op === "linear";
  const weight = { shape: isForward ? [n!, k!] : [k!, n!], data: b };
  const [y] = await runOp(op, [{ shape: [m!, k!], data: a }, weight], {}, HALF);
  const product = (f: (v: number) => number) =>
    matrixProduct(
      [m!, n!, k!],
      (i, l) => f(a[i * k! + l]!),
      (l, j) => f(b[isForward ? j * k! + l : l * n! + j]!),
    );
  const magnitudes = product(Math.abs);
  return product((v) => v).map((truth, i) => Math.abs(y![i]! - truth) / magnitudes[i]!);
}

onHalf("others are rounded to its eleven bits, and no further", async () => {
  const errors = await errorsOf("linear", [40, 24, 100], noise([40, 100], 1), noise([24, 100], 2));
  // Each of two factors by half a unit of the last place, or a whole one where a driver does not round to the nearest.
  assert.ok(Math.max(...errors) <= 2 * 2 ** -10, `${Math.max(...errors)}`);
  assert.ok(Math.max(...errors) > 2 ** -16, "these are products of float32");
});

onHalf("gradients far below float16's smallest number count, and large ones stay finite", async () => {
  const shape = [8, 40], b = noise([40, 12], 2);
  const small = noise(shape, 1).map((x) => x * 1e-7);
  assert.ok(Math.max(...await errorsOf("linear_grad_input", [8, 12, 40], small, b)) <= 2 * 2 ** -10);
  const large = new Float32Array(sizeOf(shape)).fill(1000);
  const [dx] = await runOp(
    ...["linear_grad_input", [{ shape, data: large }, { shape: [40, 12], data: b }], {}, HALF] as const,
  );
  assert.ok(dx!.every(Number.isFinite));
});

Deno.test("a driver that computes zeros, or wrongly, is found out", () => {
  const right = Float32Array.from({ length: 256 }, (_, lane) => lane * ((lane + 1) % 256) + 5.25);
  assert.ok(isHalfRight(right));
  assert.ok(!isHalfRight(new Float32Array(256)));
  assert.ok(!isHalfRight(right.map((x, lane) => lane === 200 ? x + 1 : x)));
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
  assert.match(description, /products of float16/);
});
