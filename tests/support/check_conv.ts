/** Convolutions in all directions beside float64, as close as rounding lets them be. */
import assert from "node:assert/strict";
import type { ConvAttrs } from "../../core/ops/conv.ts";
import { slidingExtent } from "../../core/ops/sliding.ts";
import { type Shape, sizeOf } from "../../core/shape.ts";
import {
  conv2d,
  conv2dGradInput,
  conv2dGradWeight,
  type ConvShapes,
  sumChannels,
} from "../reference/conv.ts";
import { runOp } from "./run_op.ts";

export const plain: ConvAttrs = { stride: [1, 1], padding: [0, 0, 0, 0], dilation: [1, 1], groups: 1 };

/** Numbers in (−1, 1) that look random and are the same each time. */
export function noise(shape: Shape, seed: number): Float32Array {
  let state = seed * 0x9e3779b9 >>> 0;
  return Float32Array.from({ length: sizeOf(shape) }, () => {
    state = Math.imul(state ^ state >>> 15, 0x2c1b3c6d) + 0x6d2b79f5 >>> 0;
    return state / 2 ** 31 - 1;
  });
}

export function absolute(data: Float32Array): Float32Array {
  return data.map(Math.abs);
}

/**
 * Within some roundings of float32 of the truth. `magnitudes` are the sums of the terms' absolute values: what rounding
 * errors are in proportion to.
 */
export function assertClose(
  actual: ArrayLike<number> | undefined,
  truth: Float64Array,
  magnitudes: Float64Array,
  what: string,
) {
  assert.equal(actual?.length, truth.length, what);
  for (let i = 0; i < truth.length; i++) {
    const error = Math.abs(actual![i]! - truth[i]!), bound = 8 * 2 ** -24 * magnitudes[i]!;
    assert.ok(
      error <= bound,
      `${what}: number ${i} is ${actual![i]}, not ${truth[i]} (error ${error} > ${bound})`,
    );
  }
}

export function shapesOf(x: Shape, weight: Shape, attrs: ConvAttrs): ConvShapes {
  const { stride, padding, dilation } = attrs;
  const rows = slidingExtent(x[2]!, weight[2]!, stride[0], padding[0], padding[2], dilation[0]);
  const columns = slidingExtent(x[3]!, weight[3]!, stride[1], padding[1], padding[3], dilation[1]);
  return { x, weight, y: [x[0]!, weight[0]!, rows, columns], attrs };
}

type Options = Parameters<typeof runOp>[3];

/** Runs the three directions and the bias's gradient: y, dx, dw, db. */
export async function runAll(shapes: ConvShapes, withBias: boolean, options: Options, numbers = noise) {
  const { attrs } = shapes;
  const x = { shape: shapes.x, data: numbers(shapes.x, 1) };
  const weight = { shape: shapes.weight, data: numbers(shapes.weight, 2) };
  const bias = { shape: [shapes.weight[0]!], data: numbers([shapes.weight[0]!], 3) };
  const dy = { shape: shapes.y, data: numbers(shapes.y, 4) };
  const [y] = await runOp("conv2d", withBias ? [x, weight, bias] : [x, weight], attrs, options);
  const [dx] = await runOp("conv2d_grad_input", [dy, weight], { ...attrs, input: shapes.x }, options);
  const [dw] = await runOp("conv2d_grad_weight", [dy, x], { ...attrs, weight: shapes.weight }, options);
  const [db] = await runOp("sum_channels", [dy], {}, options);
  return [y, dx, dw, db];
}

/** With `numbers` of a shape and a seed for images, weights and gradients. */
export async function checkConv(shapes: ConvShapes, withBias: boolean, options: Options, numbers = noise) {
  const x = numbers(shapes.x, 1), weight = numbers(shapes.weight, 2), dy = numbers(shapes.y, 4);
  const bias = withBias ? numbers([shapes.weight[0]!], 3) : undefined;
  const [y, dx, dw, db] = await runAll(shapes, withBias, options, numbers);
  const what = JSON.stringify({ ...shapes, withBias, options });
  const [ax, aw, ady] = [x, weight, dy].map(absolute) as [Float32Array, Float32Array, Float32Array];
  const magnitudes = conv2d(shapes, ax, aw, bias && absolute(bias));
  assertClose(y, conv2d(shapes, x, weight, bias), magnitudes, `conv2d ${what}`);
  const truth = conv2dGradInput(shapes, dy, weight);
  assertClose(dx, truth, conv2dGradInput(shapes, ady, aw), `conv2d_grad_input ${what}`);
  const truthW = conv2dGradWeight(shapes, dy, x);
  assertClose(dw, truthW, conv2dGradWeight(shapes, ady, ax), `conv2d_grad_weight ${what}`);
  assertClose(db, sumChannels(shapes.y, dy), sumChannels(shapes.y, ady), `sum_channels ${what}`);
}
