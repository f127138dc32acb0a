/** Winograd's convolutions on WebGPU: both sizes of tiles, both directions, and when they are taken. */
import assert from "node:assert/strict";
import { matricesFor } from "../../core/backend/webgpu/wgsl/winograd.ts";
import { lowerWith } from "../../core/backend/webgpu/lower/mod.ts";
import { layOut } from "../../core/backend/webgpu/memory.ts";
import { GraphBuilder } from "../../core/graph/builder.ts";
import { f32 } from "../../core/graph/graph.ts";
import type { ConvAttrs } from "../../core/ops/conv.ts";
import type { Shape } from "../../core/shape.ts";
import { conv2d, conv2dGradInput, type ConvShapes } from "../reference/conv.ts";
import { absolute, noise, plain, shapesOf } from "../support/check_conv.ts";
import { Always } from "../support/always.ts";
import { onWebgpu } from "../support/on_backends.ts";
import { runOp } from "../support/run_op.ts";

Deno.test("the matrices convolve: Aᵀ [(G g) ⊙ (Bᵀ d)] is g over d", () => {
  const times = (matrix: readonly (readonly number[])[], x: readonly number[]) =>
    matrix.map((row) => row.reduce((sum, value, i) => sum + value * x[i]!, 0));
  for (const m of [2, 4] as const) {
    const { input, filter, output } = matricesFor(m);
    const d = Array.from({ length: m + 2 }, (_, i) => Math.sin(3 * i + 1)), g = [0.3, -1.2, 0.7];
    const [u, v] = [times(filter, g), times(input, d)];
    const y = times(output, u.map((value, i) => value * v[i]!));
    y.forEach((value, i) => {
      const expected = g[0]! * d[i]! + g[1]! * d[i + 1]! + g[2]! * d[i + 2]!;
      assert.ok(Math.abs(value - expected) < 1e-12, `${value}, not ${expected}`);
    });
  }
});

/** As on the CPU (winograd_test.ts): errors in roundings of the largest sum of absolute values. */
const ROUNDINGS = { winograd2: 6, winograd4: 30 };

function assertNear(found: ArrayLike<number>, truth: Float64Array, magnitudes: Float64Array, most: number) {
  assert.equal(found.length, truth.length);
  const allowed = most * 2 ** -24 * magnitudes.reduce((a, b) => Math.max(a, b), 0);
  const error = truth.reduce((error, value, i) => Math.max(error, Math.abs(found[i]! - value)), 0);
  assert.ok(error <= allowed, `error ${error}, allowed ${allowed}`);
}

async function check(shapes: ConvShapes, way: keyof typeof ROUNDINGS) {
  const { attrs } = shapes, where = { webgpu: { choices: new Always(way) } };
  const [x, w, b] = [noise(shapes.x, 1), noise(shapes.weight, 2), noise([shapes.weight[0]!], 3)];
  const dy = noise(shapes.y, 4), weight = { shape: shapes.weight, data: w };
  const bias = { shape: [b.length], data: b };
  const [y] = await runOp("conv2d", [{ shape: shapes.x, data: x }, weight, bias], attrs, where);
  const magnitudes = conv2d(shapes, absolute(x), absolute(w), absolute(b));
  assertNear(y!, conv2d(shapes, x, w, b), magnitudes, ROUNDINGS[way]);
  const [dx] = await runOp(
    ...["conv2d_grad_input", [{ shape: shapes.y, data: dy }, weight], {
      ...attrs,
      input: shapes.x,
    }, where] as const,
  );
  const truth = conv2dGradInput(shapes, dy, w);
  assertNear(dx!, truth, conv2dGradInput(shapes, absolute(dy), absolute(w)), ROUNDINGS[way]);
}

onWebgpu("Winograd's convolutions and gradients to inputs are right to their rounding", async () => {
  const cases: [Shape, Shape, ConvAttrs["padding"]][] = [
    [[2, 8, 9, 7], [12, 8, 3, 3], [1, 1, 1, 1]],
    // Tiles that hang over, padding that differs, channels that are no fours.
    [[1, 5, 6, 11], [7, 5, 3, 3], [2, 0, 1, 2]],
    [[3, 4, 3, 3], [4, 4, 3, 3], [0, 0, 0, 0]],
  ];
  for (const [x, weight, padding] of cases) {
    for (const way of ["winograd2", "winograd4"] as const) {
      await check(shapesOf(x, weight, { ...plain, padding }), way);
    }
  }
});

/** The kernels of a convolution with 3 × 3 filters. */
function kernelsOf([images, channels, side]: readonly number[], exact = false) {
  const builder = new GraphBuilder();
  const x = builder.input("x", f32([images!, channels!, side!, side!]));
  const weight = builder.input("weight", f32([channels!, channels!, 3, 3]));
  const [y] = builder.emit("conv2d", [x, weight], { ...plain, padding: [1, 1, 1, 1] });
  builder.output("y", y!);
  const limits = { maxBufferSize: 2 ** 32, maxStorageBufferBindingSize: 2 ** 31 };
  const abilities = { workgroupBytes: 32768, subgroups: undefined, exact, half: false };
  const { prepared } = layOut({ graph: builder.finish() }, limits, lowerWith(abilities));
  return prepared.get("graph")!.program.calls.map(({ kernel }) => kernel);
}

Deno.test("Winograd's where there are many channels, unless sums are to be plain", () => {
  assert.ok(kernelsOf([64, 256, 14]).includes("winograd_output"));
  assert.ok(!kernelsOf([64, 256, 14], true).includes("winograd_output"));
  assert.ok(!kernelsOf([64, 16, 56]).includes("winograd_output"));
  assert.ok(!kernelsOf([1, 16, 8]).includes("winograd_output"));
  // Transformed tiles of large batches come some after others.
  const tiled = kernelsOf([64, 256, 56]).filter((kernel) => kernel === "winograd_input");
  assert.ok(tiled.length > 1, `${tiled.length}`);
});
