import assert from "node:assert/strict";
import fc from "fast-check";
import type { AvgPoolAttrs, MaxPoolAttrs } from "../../core/ops/pool.ts";
import { type Shape, sizeOf } from "../../core/shape.ts";
import * as reference from "../reference/pool.ts";
import { assertClose } from "../support/close.ts";
import { runEverywhere } from "../support/everywhere.ts";
import { runOp } from "../support/run_op.ts";
import { uniform, whole } from "../support/uniform.ts";

const pooled = { sanitizeOps: false, sanitizeResources: false };

const upTo = (max: number, min = 1) => fc.integer({ min, max });
const both = (values: fc.Arbitrary<number>) => fc.tuple(values, values);

/** Images with every remainder of channels. */
const images = fc.tuple(upTo(3), upTo(20), upTo(11), upTo(11));
const seeds = fc.integer();
const kernels = both(upTo(4));
const strides = both(upTo(4));
const paddings = fc.tuple(upTo(3, 0), upTo(3, 0), upTo(3, 0), upTo(3, 0));

async function checkMaxPool(shape: Shape, x: Float32Array, seed: number, attrs: MaxPoolAttrs) {
  const [y, where] = await runEverywhere("max_pool2d", [{ shape, data: x }], attrs);
  const wanted = reference.maxPool2d(shape, x, attrs);
  assert.deepEqual(Array.from(y!), wanted.y);
  assert.deepEqual(Array.from(where!), wanted.where);
  const small = reference.pooledShape(shape, attrs);
  const dy = { shape: small, data: uniform(seed + 1, sizeOf(small)) };
  const [dx] = await runEverywhere(
    "max_pool2d_grad",
    [dy, { shape: small, data: where!, dtype: "i32" }],
    { ...attrs, input: shape },
  );
  assertClose(dx, reference.maxPool2dGrad(shape, small, dy.data, where!), 4e-6, "dx");
}

Deno.test("max pool and its gradient agree with the reference on random shapes", pooled, async () => {
  const attrs = fc.record({
    kernel: kernels,
    stride: strides,
    padding: paddings,
    dilation: both(upTo(3)),
    ceil_mode: fc.boolean(),
  });
  await fc.assert(
    fc.asyncProperty(images, seeds, fc.boolean(), attrs, async (shape, seed, ties, attrs) => {
      const reach = [0, 1].map((axis) => attrs.dilation[axis]! * (attrs.kernel[axis]! - 1) + 1);
      fc.pre(attrs.padding.every((extent, side) => extent < reach[side % 2]!));
      fc.pre(sizeOf(reference.pooledShape(shape, attrs)) > 0);
      const count = sizeOf(shape);
      await checkMaxPool(shape, ties ? whole(seed, count, -2, 2) : uniform(seed, count), seed, attrs);
    }),
    { numRuns: 100, seed: 1 },
  );
});

Deno.test("max pool takes every remainder of channels", pooled, async () => {
  for (let channels = 1; channels <= 17; channels++) {
    const attrs = { stride: [2, 2], padding: [1, 1, 1, 1], dilation: [1, 1], ceil_mode: false } as const;
    const shape = [2, channels, 7, 9];
    await checkMaxPool(shape, uniform(channels, sizeOf(shape)), channels, { ...attrs, kernel: [3, 3] });
  }
});

Deno.test("max pool lets NaN win, wherever in the window it stands", pooled, async () => {
  const shape = [1, 9, 2, 2];
  const attrs = {
    kernel: [2, 2],
    stride: [2, 2],
    padding: [0, 0, 0, 0],
    dilation: [1, 1],
    ceil_mode: false,
  } as const;
  for (let place = 0; place < 4; place++) {
    const x = uniform(1, 36);
    for (let c = 0; c < 9; c++) x[4 * c + place] = NaN;
    const [y, where] = await runOp("max_pool2d", [{ shape, data: x }], attrs);
    assert.deepEqual(Array.from(y!), Array(9).fill(NaN));
    assert.deepEqual(Array.from(where!), Array(9).fill(place));
  }
});

async function checkAvgPool(shape: Shape, seed: number, attrs: AvgPoolAttrs) {
  const x = { shape, data: uniform(seed, sizeOf(shape)) };
  const [y] = await runEverywhere("avg_pool2d", [x], attrs);
  assertClose(y, reference.avgPool2d(shape, x.data, attrs), 3e-7, "y");
  const small = reference.pooledShape(shape, attrs);
  const dy = { shape: small, data: uniform(seed + 1, sizeOf(small)) };
  const [dx] = await runEverywhere("avg_pool2d_grad", [dy], { ...attrs, input: shape });
  assertClose(dx, reference.avgPool2dGrad(shape, dy.data, attrs), 2e-6, "dx");
}

Deno.test("average pool and its gradient agree with float64 on random shapes", pooled, async () => {
  const attrs = fc.record({
    kernel: kernels,
    stride: strides,
    padding: paddings,
    ceil_mode: fc.boolean(),
    count_include_pad: fc.boolean(),
  });
  await fc.assert(
    fc.asyncProperty(images, seeds, attrs, async (shape, seed, attrs) => {
      // PyTorch has no padding as wide as the window; without ceil mode it is clear what it would mean.
      fc.pre(!attrs.ceil_mode || attrs.padding.every((extent, side) => extent < attrs.kernel[side % 2]!));
      fc.pre(sizeOf(reference.pooledShape(shape, attrs)) > 0);
      await checkAvgPool(shape, seed, attrs);
    }),
    { numRuns: 100, seed: 2 },
  );
});

Deno.test("average pool takes every remainder of channels", pooled, async () => {
  for (let channels = 1; channels <= 17; channels++) {
    const attrs = { kernel: [2, 3], stride: [2, 1], padding: [0, 1, 1, 1] } as const;
    const counting = { ceil_mode: true, count_include_pad: false };
    await checkAvgPool([2, channels, 7, 5], channels, { ...attrs, ...counting });
  }
});

async function checkAdaptive(shape: Shape, seed: number, output: readonly [number, number]) {
  const x = { shape, data: uniform(seed, sizeOf(shape)) };
  const [y] = await runEverywhere("adaptive_avg_pool2d", [x], { output });
  assertClose(y, reference.adaptiveAvgPool2d(shape, x.data, output), 3e-7, "y");
  const dy = { shape: [...shape.slice(0, 2), ...output], data: uniform(seed + 1, y!.length) };
  const attrs = { output, input: shape };
  const [dx] = await runEverywhere("adaptive_avg_pool2d_grad", [dy], attrs);
  assertClose(dx, reference.adaptiveAvgPool2dGrad(shape, dy.data, output), 1e-5, "dx");
}

Deno.test("adaptive average pool agrees with float64, shrinking and growing", pooled, async () => {
  await fc.assert(
    fc.asyncProperty(images, seeds, both(upTo(13)), checkAdaptive),
    { numRuns: 60, seed: 3 },
  );
});

Deno.test("adaptive average pool to one pixel takes every remainder of channels", pooled, async () => {
  for (let channels = 1; channels <= 17; channels++) {
    await checkAdaptive([3, channels, 7, 7], channels, [1, 1]);
  }
});
