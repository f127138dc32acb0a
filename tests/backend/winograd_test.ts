import assert from "node:assert/strict";
import fc from "fast-check";
import type { Chooser } from "../../core/backend/wasm/lower/method.ts";
import type { ConvAttrs } from "../../core/ops/conv.ts";
import { slidingExtent } from "../../core/ops/sliding.ts";
import { type Shape, sizeOf } from "../../core/shape.ts";
import { conv2d, conv2dGradInput, conv2dGradWeight, type ConvShapes } from "../reference/conv.ts";
import { runOp } from "../support/run_op.ts";
import { uniform } from "../support/uniform.ts";

const pooled = { sanitizeOps: false, sanitizeResources: false };
const seeded = { seed: 5, numRuns: 15 };

/** One function each, so that a pool is made once for each. */
const methods: Record<string, Chooser> = {
  winograd2: () => "winograd2",
  winograd4: () => "winograd4",
};

/**
 * Errors that are allowed, in roundings of float32 of the largest sum of absolute values in the result: a transformed tile mixes
 * its pixels, so an error is in proportion to the largest of them and not to the result it ends up in. Seen in 66 random
 * shapes: up to 3 with F(2×2, 3×3) and 17 with F(4×4, 3×3), on average 1.8 and 5 in the worst direction.
 */
const ROUNDINGS: Record<string, number> = { winograd2: 6, winograd4: 30 };

type Padding = ConvAttrs["padding"];

function shapesOf(x: Shape, out: number, padding: Padding): ConvShapes {
  const attrs: ConvAttrs = { stride: [1, 1], padding, dilation: [1, 1], groups: 1 };
  const rows = slidingExtent(x[2]!, 3, 1, padding[0], padding[2], 1);
  const columns = slidingExtent(x[3]!, 3, 1, padding[1], padding[3], 1);
  return { x, weight: [out, x[1]!, 3, 3], y: [x[0]!, out, rows, columns], attrs };
}

function dataOf({ x, weight, y }: ConvShapes) {
  return {
    x: uniform(1, sizeOf(x)),
    weight: uniform(2, sizeOf(weight)),
    bias: uniform(3, weight[0]!),
    dy: uniform(4, sizeOf(y)),
  };
}

/** y, dx and dw. */
async function runAll(shapes: ConvShapes, options: Parameters<typeof runOp>[3]) {
  const { attrs } = shapes, data = dataOf(shapes);
  const x = { shape: shapes.x, data: data.x }, weight = { shape: shapes.weight, data: data.weight };
  const dy = { shape: shapes.y, data: data.dy }, bias = { shape: [shapes.weight[0]!], data: data.bias };
  const [y] = await runOp("conv2d", [x, weight, bias], attrs, options);
  const [dx] = await runOp("conv2d_grad_input", [dy, weight], { ...attrs, input: shapes.x }, options);
  const [dw] = await runOp("conv2d_grad_weight", [dy, x], { ...attrs, weight: shapes.weight }, options);
  return { y: y!, dx: dx!, dw: dw! };
}

async function check(shapes: ConvShapes, method: string) {
  const { x, weight, bias, dy } = dataOf(shapes);
  const [ax, aw, ab, ady] = [x, weight, bias, dy].map((data) => data.map(Math.abs)) as Float32Array[];
  const truths = {
    y: [conv2d(shapes, x, weight, bias), conv2d(shapes, ax!, aw!, ab)],
    dx: [conv2dGradInput(shapes, dy, weight), conv2dGradInput(shapes, ady!, aw!)],
    dw: [conv2dGradWeight(shapes, dy, x), conv2dGradWeight(shapes, ady!, ax!)],
  };
  for (const tile of [8, 16] as const) {
    const results = await runAll(shapes, { threads: 2, tile, guard: true, method: methods[method]! });
    for (const name of ["y", "dx", "dw"] as const) {
      const [truth, magnitudes] = truths[name] as [Float64Array, Float64Array];
      assert.equal(results[name].length, truth.length);
      const most = magnitudes.reduce((a, b) => Math.max(a, b), 0);
      const error = truth.reduce((most, value, i) => Math.max(most, Math.abs(results[name][i]! - value)), 0);
      const allowed = ROUNDINGS[method]! * 2 ** -24 * most;
      const what = `${name} by ${method}, tile ${tile}, of ${JSON.stringify(shapes)}`;
      assert.ok(error <= allowed, `${what}: error ${error}, allowed ${allowed}`);
    }
  }
}

const extent = (max: number) => fc.integer({ min: 1, max });
const padding = fc.integer({ min: 0, max: 2 });
const anyShapes = fc.record({
  images: extent(3),
  channels: extent(6).map((eights) => 8 * eights),
  out: extent(11).map((eights) => 8 * eights),
  image: fc.tuple(extent(13), extent(13)),
  padding: fc.tuple(padding, padding, padding, padding),
}).map(({ images, channels, out, image, padding }) => shapesOf([images, channels, ...image], out, padding))
  .filter(({ y }) => y[2]! > 0 && y[3]! > 0);

for (const method of Object.keys(methods)) {
  Deno.test(
    `${method}: any image and padding, in all directions, are right to rounding`,
    pooled,
    async () => {
      await fc.assert(
        fc.asyncProperty(anyShapes, async (shapes) => {
          await check(shapes, method);
        }),
        seeded,
      );
    },
  );

  Deno.test(
    `${method}: several blocks of channels, tasks and chunks are right to rounding`,
    pooled,
    async () => {
      const cases = [
        shapesOf([1, 328, 5, 6], 72, [1, 1, 1, 1]), // Two blocks of K, a last one of 8 columns.
        shapesOf([1, 136, 4, 5], 136, [1, 1, 1, 1]), // Several blocks of the filter's gradient.
        shapesOf([3, 8, 62, 64], 8, [1, 1, 1, 1]), // Many tiles: several tasks and chunks.
        shapesOf([1, 344, 20, 20], 8, [1, 1, 1, 1]), // Tiles that tasks share.
        shapesOf([3, 160, 24, 24], 8, [1, 1, 1, 1]), // The same with F(4×4), and several rounds of the filter's gradient.
      ];
      for (const shapes of cases) await check(shapes, method);
    },
  );

  Deno.test(`${method}: 1, 2 and 3 threads and both tiles give the same bits`, pooled, async () => {
    for (
      const shapes of [
        shapesOf([2, 24, 30, 31], 40, [1, 1, 1, 1]),
        shapesOf([1, 300 + 4, 4, 4], 80, [0, 1, 2, 0]),
        shapesOf([1, 344, 20, 20], 80, [1, 1, 1, 1]),
      ]
    ) {
      const choice = { method: methods[method]! };
      const expected = await runAll(shapes, { threads: 1, tile: 8, ...choice });
      for (const [threads, tile] of [[2, 8], [3, 8], [1, 16], [2, 16]] as const) {
        assert.deepEqual(
          await runAll(shapes, { threads, tile, ...choice }),
          expected,
          `${threads} threads, tile ${tile}`,
        );
      }
    }
  });
}

Deno.test("what Winograd cannot do is computed directly, whatever is chosen", pooled, async () => {
  const attrs: ConvAttrs = { stride: [2, 2], padding: [1, 1, 1, 1], dilation: [1, 1], groups: 1 };
  const x = { shape: [1, 8, 6, 6], data: uniform(1, 288) },
    weight = { shape: [8, 8, 3, 3], data: uniform(2, 576) };
  const options = { threads: 2, tile: 8 } as const;
  const direct = await runOp("conv2d", [x, weight], attrs, { ...options, method: () => "direct" });
  const other = await runOp("conv2d", [x, weight], attrs, { ...options, method: methods["winograd4"]! });
  assert.deepEqual(other, direct);
});
