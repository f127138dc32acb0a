import assert from "node:assert/strict";
import fc from "fast-check";
import type { ConvAttrs } from "../../core/ops/conv.ts";
import type { Shape } from "../../core/shape.ts";
import { type ConvShapes, matrixProduct, sumChannels } from "../reference/conv.ts";
import { absolute, assertClose, checkConv, noise, plain, runAll, shapesOf } from "../support/check_conv.ts";
import { type On, onBackends } from "../support/on_backends.ts";
import { runOp } from "../support/run_op.ts";

const pooled = { sanitizeOps: false, sanitizeResources: false };
const TILES = [8, 16] as const;

type Options = Parameters<typeof runOp>[3];

/** On the CPU with both tiles, on WebGPU as it is. */
function ways({ name }: On): readonly Options[] {
  return name === "webgpu" ? [name] : TILES.map((tile) => ({ threads: 2, tile, guard: true }));
}

const extent = (max: number) => fc.integer({ min: 1, max });
const padding = fc.integer({ min: 0, max: 3 });

/** Any convolution: non-square, strided, dilated, grouped, padded unevenly or more than the kernel needs. */
const anyConv = fc.record({
  images: extent(3),
  groups: fc.constantFrom(1, 1, 2, 3),
  channels: extent(20),
  out: extent(20),
  image: fc.tuple(extent(10), extent(10)),
  kernel: fc.tuple(extent(4), extent(4)),
  stride: fc.tuple(extent(3), extent(3)),
  dilation: fc.tuple(extent(2), extent(2)),
  padding: fc.tuple(padding, padding, padding, padding),
}).map(({ images, groups, channels, out, image, kernel, ...attrs }) =>
  shapesOf([images, channels * groups, ...image], [out * groups, channels, ...kernel], { ...attrs, groups })
).filter(({ y }) => y[2]! > 0 && y[3]! > 0);

onBackends("convolutions of any shape, in all directions, are right to rounding", async (on) => {
  await fc.assert(
    fc.asyncProperty(
      anyConv,
      fc.boolean(),
      fc.constantFrom(...ways(on)),
      async (shapes, withBias, options) => {
        await checkConv(shapes, withBias, options);
      },
    ),
    { seed: 20, numRuns: on.runs(60) },
  );
});

onBackends("convolutions that deserve a name are right to rounding", async (on) => {
  const cases: [string, Shape, Shape, ConvAttrs][] = [
    ["1×1 with padding 1", [2, 5, 4, 4], [7, 5, 1, 1], { ...plain, padding: [1, 1, 1, 1] }],
    ["1×1 with stride 2", [2, 5, 7, 7], [7, 5, 1, 1], { ...plain, stride: [2, 2] }],
    ["3×3 on one pixel", [5, 30, 1, 1], [9, 30, 3, 3], { ...plain, padding: [1, 1, 1, 1] }],
    ["depthwise", [2, 12, 6, 6], [12, 1, 3, 3], { ...plain, padding: [1, 1, 1, 1], groups: 12 }],
    ["only padding", [1, 2, 1, 1], [3, 2, 1, 1], { ...plain, stride: [2, 2], padding: [3, 3, 3, 3] }],
    ["ResNet's first", [2, 3, 33, 31], [16, 3, 7, 7], { ...plain, stride: [2, 2], padding: [3, 3, 3, 3] }],
    ["many pixels", [3, 4, 40, 37], [5, 4, 3, 3], { ...plain, padding: [1, 1, 1, 1] }],
    ["deep", [1, 300, 3, 3], [10, 300, 3, 3], { ...plain, padding: [1, 1, 1, 1] }],
    ["few rows, many columns", [2, 8, 9, 9], [210, 8, 3, 3], plain],
    ["several blocks of everything", [1, 33, 25, 24], [70, 33, 3, 3], { ...plain, padding: [1, 1, 1, 1] }],
    ["whole tiles of channels", [2, 32, 9, 8], [10, 32, 3, 3], {
      ...plain,
      stride: [2, 1],
      padding: [1, 0, 2, 1],
    }],
    ["merged groups", [2, 24, 7, 6], [48, 4, 3, 2], {
      ...plain,
      stride: [1, 2],
      padding: [1, 1, 1, 1],
      groups: 6,
    }],
    ["rows in place, two blocks of K", [2, 680, 6, 7], [40, 340, 1, 1], { ...plain, groups: 2 }],
    ["many rows in place", [7, 20, 10, 11], [70, 20, 1, 1], plain],
    ["wide weights", [2, 40, 6, 6], [20, 40, 3, 3], { ...plain, padding: [1, 1, 1, 1] }],
  ];
  for (const [, x, weight, attrs] of on.some(cases)) {
    for (const options of ways(on)) await checkConv(shapesOf(x, weight, attrs), true, options);
  }
});

onBackends("linear layers are right at every remainder of the tiles and blocks", async (on) => {
  const rows = [1, 2, 3, 4, 5, 6, 7, 12, 13];
  const columns = [...Array.from({ length: 17 }, (_, i) => i + 1), 33];
  const depths = [1, 2, 3, 4, 5, 287, 288, 289, 576, 577, 700];
  const sizes = [
    ...rows.flatMap((m) => columns.map((n) => [m, n, 1 + (5 * m + n) % 7] as const)),
    ...depths.map((k) => [7, 17, k] as const),
    [100, 130, 20] as const,
  ];
  for (const options of ways(on)) {
    for (const [m, n, k] of on.some(sizes)) {
      const x = noise([m, k], 1), w = noise([n, k], 2), b = noise([n], 3), dy = noise([m, n], 4);
      const xs = { shape: [m, k], data: x },
        ws = { shape: [n, k], data: w },
        dys = { shape: [m, n], data: dy };
      const what = `${m} × ${n} × ${k}, ${JSON.stringify(options)}`;

      const [y] = await runOp("linear", [xs, ws, { shape: [n], data: b }], {}, options);
      const forward = (f: (v: number) => number) =>
        matrixProduct([m, n, k], (i, l) => f(x[i * k + l]!), (l, j) => f(w[j * k + l]!))
          .map((sum, i) => sum + f(b[i % n]!));
      assertClose(y, forward((v) => v), forward(Math.abs), `linear ${what}`);

      const [dx] = await runOp("linear_grad_input", [dys, ws], {}, options);
      const toInput = (f: (v: number) => number) =>
        matrixProduct([m, k, n], (i, l) => f(dy[i * n + l]!), (l, j) => f(w[l * k + j]!));
      assertClose(dx, toInput((v) => v), toInput(Math.abs), `linear_grad_input ${what}`);

      const [dw] = await runOp("linear_grad_weight", [dys, xs], {}, options);
      const toWeight = (f: (v: number) => number) =>
        matrixProduct([n, k, m], (i, l) => f(dy[l * n + i]!), (l, j) => f(x[l * k + j]!));
      assertClose(dw, toWeight((v) => v), toWeight(Math.abs), `linear_grad_weight ${what}`);
    }
  }
});

onBackends("sums over channels of any rank are right to rounding", async (on) => {
  for (const shape of [[1, 1], [7, 5], [300, 9], [2, 3, 50], [3, 33, 20, 21], [70, 4, 16, 16]]) {
    const x = noise(shape, 5);
    const [sums] = await on.run("sum_channels", [{ shape, data: x }], {});
    assertClose(sums, sumChannels(shape, x), sumChannels(shape, absolute(x)), `sum_channels ${shape}`);
  }
});

Deno.test("1, 2 and 3 threads and both tiles give the same bits", pooled, async () => {
  const cases: ConvShapes[] = [
    shapesOf([4, 20, 24, 24], [30, 20, 3, 3], { ...plain, padding: [1, 1, 1, 1] }),
    shapesOf([2, 36, 15, 17], [50, 18, 3, 2], { ...plain, stride: [2, 2], padding: [1, 0, 2, 1], groups: 2 }),
    shapesOf([32, 300, 1, 1], [200, 300, 1, 1], plain),
  ];
  for (const shapes of cases) {
    const expected = await runAll(shapes, true, { threads: 1, tile: 8 });
    for (const options of [1, 2, 3].flatMap((threads) => TILES.map((tile) => ({ threads, tile })))) {
      assert.deepEqual(await runAll(shapes, true, options), expected, JSON.stringify({ shapes, options }));
    }
  }
});
