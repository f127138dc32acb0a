/** Products with a thin side on WebGPU: right in all directions, and taken where they should be faster. */
import assert from "node:assert/strict";
import { createWebgpuBackend } from "../../core/backend/webgpu/backend.ts";
import { lowerWith } from "../../core/backend/webgpu/lower/mod.ts";
import { layOut } from "../../core/backend/webgpu/memory.ts";
import type { ConvAttrs } from "../../core/ops/conv.ts";
import { GraphBuilder } from "../../core/graph/builder.ts";
import { f32 } from "../../core/graph/graph.ts";
import type { Shape } from "../../core/shape.ts";
import { Always } from "../support/always.ts";
import { checkConv, plain, shapesOf } from "../support/check_conv.ts";
import { onWebgpu } from "../support/on_backends.ts";

const THIN = { webgpu: { choices: new Always("thin") } };

onWebgpu("thin products are right to rounding", async () => {
  const padded = { ...plain, padding: [1, 1, 1, 1] } as const;
  const cases: [Shape, Shape, ConvAttrs][] = [
    [[4, 3, 13, 12], [8, 3, 3, 3], padded],
    [[2, 8, 17, 18], [16, 8, 3, 3], padded],
    [[3, 5, 19, 15], [13, 5, 5, 5], { ...plain, stride: [2, 2], padding: [2, 1, 2, 2] }],
    [[1, 6, 20, 20], [1, 6, 3, 2], { ...plain, dilation: [2, 3] }],
    [[2, 32, 6, 5], [32, 16, 1, 1], { ...plain, groups: 2 }],
    // More steps than a workgroup keeps, and more columns of the filters' gradient than it has.
    [[2, 32, 6, 6], [16, 32, 3, 3], padded],
  ];
  for (const [x, weight, attrs] of cases) await checkConv(shapesOf(x, weight, attrs), true, THIN);
});

onWebgpu("an invocation has several rows where there are many", async () => {
  const shapes = shapesOf([1, 2, 257, 512], [2, 2, 1, 1], plain);
  await checkConv(shapes, true, THIN);
});

/** The kernels of a convolution, and how many of them are tiles'. */
function kernelsOf(x: Shape, weight: Shape, choice?: string): { kernels: string[]; tiled: number } {
  const builder = new GraphBuilder();
  const attrs = { ...plain, padding: [1, 1, 1, 1] } as const, { y } = shapesOf(x, weight, attrs);
  const inputs = [builder.input("dy", f32(y)), builder.input("x", f32(x))];
  builder.output("dw", builder.emit("conv2d_grad_weight", inputs, { ...attrs, weight })[0]!);
  const given = [inputs[1]!, builder.input("weight", f32(weight))];
  builder.output("y", builder.emit("conv2d", given, attrs)[0]!);
  const limits = { maxBufferSize: 2 ** 32, maxStorageBufferBindingSize: 2 ** 31 };
  const abilities = { workgroupBytes: 32768, subgroups: undefined, exact: true, half: false };
  const lower = lowerWith(abilities, choice === undefined ? new Map() : new Always(choice));
  const { calls } = layOut({ graph: builder.finish() }, limits, lower).prepared.get("graph")!.program;
  return {
    kernels: calls.map(({ kernel }) => kernel),
    tiled: calls.filter(({ code }) => code.includes("strip_a")).length,
  };
}

Deno.test("few channels of many pixels are thin, unless something else was measured", () => {
  const [x, weight] = [[64, 3, 32, 32], [8, 3, 3, 3]] as const;
  assert.deepEqual(kernelsOf(x, weight), {
    kernels: ["conv2d_grad_weight", "sum_slices", "conv2d"],
    tiled: 0,
  });
  assert.equal(kernelsOf(x, weight, "32x32/1").tiled, 2);
  assert.equal(kernelsOf([64, 3, 8, 8], weight).tiled, 2);
  assert.equal(kernelsOf([64, 3, 8, 8], weight, "thin").tiled, 0);
  assert.equal(kernelsOf([64, 16, 32, 32], [64, 16, 3, 3], "thin").tiled, 2);
});

onWebgpu("thin products are among the ways that are measured", async () => {
  const { gpu, tuning, nodesOf } = await createWebgpuBackend();
  try {
    const builder = new GraphBuilder();
    const x = builder.input("x", f32([2, 8, 9, 9]));
    for (const out of [16, 17]) {
      const weight = builder.input(`weight${out}`, f32([out, 8, 1, 1]));
      builder.output(`y${out}`, builder.emit("conv2d", [x, weight], plain)[0]!);
    }
    const ways = nodesOf(builder.finish()).map((node) => tuning.waysFor(node));
    assert.deepEqual(ways.map((some) => some.includes("thin")), [true, false]);
    assert.ok(tuning.knows("thin") && !tuning.knows("thick"));
  } finally {
    gpu.device.destroy();
  }
});
