import assert from "node:assert/strict";
import fc from "fast-check";
import type { AvgPoolAttrs, MaxPoolAttrs } from "../../core/ops/pool.ts";
import { type Shape, sizeOf } from "../../core/shape.ts";
import * as reference from "../reference/pool.ts";
import { assertClose } from "../support/close.ts";
import { uniform, whole } from "../support/uniform.ts";
import { type On, onBackends } from "../support/on_backends.ts";

const upTo = (max: number, min = 1) => fc.integer({ min, max });
const both = (values: fc.Arbitrary<number>) => fc.tuple(values, values);

/** Images with every remainder of channels. */
const images = fc.tuple(upTo(3), upTo(20), upTo(11), upTo(11));
const seeds = fc.integer();
const kernels = both(upTo(4));
const strides = both(upTo(4));
const paddings = fc.tuple(upTo(3, 0), upTo(3, 0), upTo(3, 0), upTo(3, 0));

async function checkMaxPool(on: On, shape: Shape, x: Float32Array, seed: number, attrs: MaxPoolAttrs) {
  const [y, where] = await on.run("max_pool2d", [{ shape, data: x }], attrs);
  const wanted = reference.maxPool2d(shape, x, attrs);
  assert.deepEqual(Array.from(y!), wanted.y);
  assert.deepEqual(Array.from(where!), wanted.where);
  const small = reference.pooledShape(shape, attrs);
  const dy = { shape: small, data: uniform(seed + 1, sizeOf(small)) };
  const [dx] = await on.run(
    "max_pool2d_grad",
    [dy, { shape: small, data: where!, dtype: "i32" }],
    { ...attrs, input: shape },
  );
  assertClose(dx, reference.maxPool2dGrad(shape, small, dy.data, where!), 4e-6, "dx");
}

onBackends("max pool and its gradient agree with the reference on random shapes", async (on) => {
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
      await checkMaxPool(on, shape, ties ? whole(seed, count, -2, 2) : uniform(seed, count), seed, attrs);
    }),
    { numRuns: on.runs(100), seed: 1 },
  );
});

onBackends("max pool takes every remainder of channels", async (on) => {
  for (let channels = 1; channels <= 17; channels++) {
    const attrs = { stride: [2, 2], padding: [1, 1, 1, 1], dilation: [1, 1], ceil_mode: false } as const;
    const shape = [2, channels, 7, 9];
    await checkMaxPool(on, shape, uniform(channels, sizeOf(shape)), channels, { ...attrs, kernel: [3, 3] });
  }
});

onBackends("max pool lets NaN win, wherever in the window it stands", async (on) => {
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
    const [y, where] = await on.run("max_pool2d", [{ shape, data: x }], attrs);
    assert.deepEqual(Array.from(y!), Array(9).fill(NaN));
    assert.deepEqual(Array.from(where!), Array(9).fill(place));
  }
});

async function checkAvgPool(on: On, shape: Shape, seed: number, attrs: AvgPoolAttrs) {
  const x = { shape, data: uniform(seed, sizeOf(shape)) };
  const [y] = await on.run("avg_pool2d", [x], attrs);
  assertClose(y, reference.avgPool2d(shape, x.data, attrs), 3e-7, "y");
  const small = reference.pooledShape(shape, attrs);
  const dy = { shape: small, data: uniform(seed + 1, sizeOf(small)) };
  const [dx] = await on.run("avg_pool2d_grad", [dy], { ...attrs, input: shape });
  assertClose(dx, reference.avgPool2dGrad(shape, dy.data, attrs), 2e-6, "dx");
}

onBackends("average pool and its gradient agree with float64 on random shapes", async (on) => {
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
      await checkAvgPool(on, shape, seed, attrs);
    }),
    { numRuns: on.runs(100), seed: 2 },
  );
});

onBackends("average pool takes every remainder of channels", async (on) => {
  for (let channels = 1; channels <= 17; channels++) {
    const attrs = { kernel: [2, 3], stride: [2, 1], padding: [0, 1, 1, 1] } as const;
    const counting = { ceil_mode: true, count_include_pad: false };
    await checkAvgPool(on, [2, channels, 7, 5], channels, { ...attrs, ...counting });
  }
});

async function checkAdaptive(on: On, shape: Shape, seed: number, output: readonly [number, number]) {
  const x = { shape, data: uniform(seed, sizeOf(shape)) };
  const [y] = await on.run("adaptive_avg_pool2d", [x], { output });
  assertClose(y, reference.adaptiveAvgPool2d(shape, x.data, output), 3e-7, "y");
  const dy = { shape: [...shape.slice(0, 2), ...output], data: uniform(seed + 1, y!.length) };
  const attrs = { output, input: shape };
  const [dx] = await on.run("adaptive_avg_pool2d_grad", [dy], attrs);
  assertClose(dx, reference.adaptiveAvgPool2dGrad(shape, dy.data, output), 1e-5, "dx");
}

onBackends("adaptive average pool agrees with float64, shrinking and growing", async (on) => {
  await fc.assert(
    fc.asyncProperty(
      images,
      seeds,
      both(upTo(13)),
      (shape, seed, output) => checkAdaptive(on, shape, seed, output),
    ),
    { numRuns: on.runs(60), seed: 3 },
  );
});

onBackends("adaptive average pool to one pixel takes every remainder of channels", async (on) => {
  for (let channels = 1; channels <= 17; channels++) {
    await checkAdaptive(on, [3, channels, 7, 7], channels, [1, 1]);
  }
});
