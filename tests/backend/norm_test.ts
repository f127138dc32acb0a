import assert from "node:assert/strict";
import fc from "fast-check";
import type { BatchNormAttrs, LocalResponseNormAttrs } from "../../core/ops/norm.ts";
import { type Shape, sizeOf } from "../../core/shape.ts";
import { batchNorm, batchNormGrad, localResponseNorm, localResponseNormGrad } from "../reference/norm.ts";
import { assertClose } from "../support/close.ts";
import { uniform } from "../support/uniform.ts";
import { type On, onBackends } from "../support/on_backends.ts";

/** Shapes of rank 2 to 5, with every remainder of channels. */
const shapes = fc.tuple(
  fc.integer({ min: 1, max: 5 }),
  fc.integer({ min: 1, max: 35 }),
  fc.array(fc.integer({ min: 1, max: 6 }), { maxLength: 3 }),
).map(([batch, channels, places]) => [batch, channels, ...places]);

const seeds = fc.integer();

/** A batch norm's inputs but x; the running variance is positive. */
function parameters(seed: number, channels: number) {
  const shape = [channels];
  return [
    { shape, data: uniform(seed + 1, channels) },
    { shape, data: uniform(seed + 2, channels) },
    { shape, data: uniform(seed + 3, channels) },
    { shape, data: uniform(seed + 4, channels, 0.5, 1.5) },
  ] as const;
}

/** Compares forward and backward with the reference; `x` may have any mean, errors are judged by its magnitude. */
async function checkBatchNorm(on: On, shape: Shape, x: Float32Array, seed: number, attrs: BatchNormAttrs) {
  const channels = shape[1]!;
  const [weight, bias, runningMean, runningVar] = parameters(seed, channels);
  const inputs = [{ shape, data: x }, weight, bias, runningMean, runningVar];
  const [y, mean, invstd, newMean, newVar] = await on.run("batch_norm", inputs, attrs);
  const wanted = batchNorm(shape, x, weight.data, bias.data, runningMean.data, runningVar.data, attrs);

  // What one rounding of x or of the mean does to y.
  const largest = x.reduce((max, value) => Math.max(max, Math.abs(value)), 1);
  const steepest = Math.max(1, ...wanted.invstd);
  assertClose(y, wanted.y, 5e-7 * largest * steepest, "y");
  assertClose(mean, wanted.mean, 2e-7 * largest, "mean");
  wanted.invstd.forEach((value, c) =>
    assertClose([invstd![c]!], [value], 1e-6 * value * largest * steepest, "invstd")
  );
  if (attrs.training) {
    assertClose(newMean, wanted.runningMean, 2e-7 * largest, "running mean");
    const spread = Math.max(1, ...wanted.runningVar);
    assertClose(newVar, wanted.runningVar, 5e-7 * spread * largest, "running variance");
  }

  const dy = uniform(seed + 5, x.length);
  const given = [
    { shape, data: dy },
    { shape, data: x },
    weight,
    { shape: [channels], data: mean! },
    { shape: [channels], data: invstd! },
  ];
  const { training } = attrs;
  const [dx, dWeight, dBias] = await on.run("batch_norm_grad", given, { training });
  const slopes = batchNormGrad(shape, dy, x, weight.data, mean!, invstd!, training);
  const terms = Math.sqrt(x.length / channels);
  const normalised = training ? terms : largest * steepest;
  assertClose(dx, slopes.dx, 1e-6 * steepest * normalised, "dx");
  assertClose(dWeight, slopes.dWeight, 6e-7 * terms * normalised, "dweight");
  assertClose(dBias, slopes.dBias, 6e-7 * terms, "dbias");
}

onBackends("batch norm and its gradient agree with float64 on random shapes", async (on) => {
  const attrs = fc.record({
    training: fc.boolean(),
    momentum: fc.double({ min: 0, max: 1, noNaN: true }),
    eps: fc.constantFrom(1e-5, 1e-3),
  });
  await fc.assert(
    fc.asyncProperty(shapes, seeds, attrs, async (shape, seed, attrs) => {
      fc.pre(sizeOf(shape) > shape[1]!);
      await checkBatchNorm(on, shape, uniform(seed, sizeOf(shape), -2, 2), seed, attrs);
    }),
    { numRuns: on.runs(60), seed: 1 },
  );
});

onBackends("batch norm adds many blocks of rows, with every remainder of channels", async (on) => {
  for (const channels of [1, 2, 3, 4, 5, 6, 7, 8, 33, 64, 260]) {
    const shape = [3, channels, 23, 17];
    const attrs = { training: true, momentum: 0.1, eps: 1e-5 };
    await checkBatchNorm(on, shape, uniform(channels, sizeOf(shape), -2, 2), channels, attrs);
  }
});

onBackends("batch norm keeps its precision where the mean is far above the deviation", async (on) => {
  for (const channels of [3, 8, 64]) {
    const shape = [4, channels, 20, 20];
    const attrs = { training: true, momentum: 0.1, eps: 1e-5 };
    await checkBatchNorm(on, shape, uniform(channels, sizeOf(shape), 999, 1001), channels, attrs);
  }
});

onBackends("batch norm gives NaN in the channel that has one, and nowhere else", async (on) => {
  const shape = [2, 9, 3, 3];
  const x = uniform(1, sizeOf(shape));
  x[9 * 4 + 5] = NaN; // channel 4
  const attrs = { training: true, momentum: 0.1, eps: 1e-5 };
  const [y] = await on.run("batch_norm", [{ shape, data: x }, ...parameters(1, 9)], attrs);
  y!.forEach((value, i) => assert.equal(Number.isNaN(value), Math.floor(i / 9) % 9 === 4));
});

async function checkLocalResponseNorm(on: On, shape: Shape, seed: number, attrs: LocalResponseNormAttrs) {
  const x = { shape, data: uniform(seed, sizeOf(shape), -4, 4) };
  const dy = { shape, data: uniform(seed + 1, sizeOf(shape)) };
  const [y] = await on.run("local_response_norm", [x], attrs);
  const wanted = localResponseNorm(shape, x.data, attrs);
  assertClose(y, wanted, 1e-6 * wanted.reduce((max, value) => Math.max(max, Math.abs(value)), 1), "y");
  const [dx] = await on.run("local_response_norm_grad", [dy, x], attrs);
  const slopes = localResponseNormGrad(shape, dy.data, x.data, attrs);
  assertClose(dx, slopes, 2e-6 * slopes.reduce((max, value) => Math.max(max, Math.abs(value)), 1), "dx");
}

onBackends("local response norm and its gradient agree with float64 on random shapes", async (on) => {
  const attrs = fc.record({
    size: fc.integer({ min: 1, max: 9 }),
    alpha: fc.constantFrom(1e-4, 0.02, 1),
    beta: fc.oneof(fc.constant(0.75), fc.double({ min: 0.1, max: 2, noNaN: true })),
    k: fc.constantFrom(0.5, 1, 2),
  });
  await fc.assert(
    fc.asyncProperty(shapes, seeds, attrs, async (shape, seed, attrs) => {
      fc.pre(shape.length >= 3);
      await checkLocalResponseNorm(on, shape, seed, attrs);
    }),
    { numRuns: on.runs(60), seed: 2 },
  );
});

onBackends("local response norm takes every remainder of channels and windows wider than all", async (on) => {
  for (let channels = 1; channels <= 9; channels++) {
    for (const size of [1, 2, 5, 20]) {
      await checkLocalResponseNorm(on, [2, channels, 17, 19], channels, {
        size,
        alpha: 0.5,
        beta: 0.6,
        k: 1,
      });
    }
  }
});
