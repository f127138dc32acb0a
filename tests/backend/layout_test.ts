import assert from "node:assert/strict";
import fc from "fast-check";
import { type Shape, sizeOf } from "../../core/shape.ts";
import { concat, flattenChannelsLast, slice } from "../reference/layout.ts";
import { uniform } from "../support/uniform.ts";
import { onBackends } from "../support/on_backends.ts";

/** 0, 1, 2, …: a misplaced number shows. */
function counted(shape: Shape, start = 0): { shape: Shape; data: Float32Array } {
  return { shape, data: Float32Array.from({ length: sizeOf(shape) }, (_, i) => start + i) };
}

const extent = fc.integer({ min: 1, max: 9 });
const shapeAndDim = fc.array(extent, { minLength: 1, maxLength: 5 })
  .chain((shape) => fc.record({ shape: fc.constant(shape), dim: fc.nat({ max: shape.length - 1 }) }));

onBackends("concat joins any number of values along any axis", async (on) => {
  const check = async (shape: Shape, dim: number, extents: readonly number[]) => {
    const parts = extents.map((extent, i) =>
      counted(shape.map((e, axis) => axis === dim ? extent : e), i * 1e5)
    );
    const [y] = await on.run("concat", parts, { dim });
    assert.deepEqual([...y!], concat(parts, dim));
  };
  const extents = fc.array(extent, { minLength: 1, maxLength: 4 });
  await fc.assert(
    fc.asyncProperty(shapeAndDim, extents, ({ shape, dim }, extents) => check(shape, dim, extents)),
    { numRuns: on.runs(40) },
  );
  await check([2, 1, 60, 50], 1, [7, 1, 16]);
  await check([1, 30, 20, 20], 0, [3, 2]);
});

onBackends("slice takes any part of any axis", async (on) => {
  const check = async (shape: Shape, dim: number, start: number, length: number) => {
    const x = counted(shape);
    const [y] = await on.run("slice", [x], { dim, start, length });
    assert.deepEqual([...y!], slice(x, dim, start, length));
  };
  const place = fc.record({
    start: fc.double({ min: 0, max: 1, noNaN: true }),
    length: fc.nat({ max: 100 }),
  });
  await fc.assert(
    fc.asyncProperty(shapeAndDim, place, ({ shape, dim }, place) => {
      const extent = shape[dim]!;
      const start = Math.min(Math.floor(place.start * extent), extent - 1);
      return check(shape, dim, start, 1 + (place.length % (extent - start)));
    }),
    { numRuns: on.runs(40) },
  );
  await check([2, 24, 60, 50], 1, 7, 13);
  await check([5, 30, 20, 20], 0, 1, 3);
});

onBackends("reshape keeps the logical order", async (on) => {
  const check = async (from: Shape, to: Shape) => {
    const data = uniform(1, sizeOf(from));
    const [y] = await on.run("reshape", [{ shape: from, data }], { shape: to });
    assert.deepEqual(y, data, `[${from}] to [${to}]`);
  };
  // Blocks of 32 and tiles of 4 × 4 with every remainder, and the shapes where nothing has to move.
  for (const height of [1, 2, 3, 4, 5, 6, 7, 8, 31, 32, 33, 35]) {
    for (const channels of [1, 2, 3, 4, 5, 7, 8, 32, 33, 65]) {
      await check([2, channels, height, 1], [2, channels * height]);
      await check([2, channels * height], [2, channels, height]);
      await check([2, channels, height], [2, channels, 1, height]);
    }
  }
  await check([4, 6, 5, 7], [2, 12, 5, 7]);
  await check([4, 6, 5, 7], [24, 35]);
  await check([64, 3, 2, 2], [3, 64, 4]);
  await check([1], []);
  await check([3, 32, 40, 40], [3, 51200]);
});

onBackends("flattened with the channels last: place after place, and back", async (on) => {
  const shapes = fc.array(extent, { minLength: 2, maxLength: 4 });
  await fc.assert(
    fc.asyncProperty(shapes, async (shape) => {
      const x = counted(shape);
      const [row] = await on.run("flatten_channels_last", [x], {});
      assert.deepEqual([...row!], flattenChannelsLast(x));
      const flat = { shape: [shape[0]!, sizeOf(shape.slice(1))], data: row! };
      const [image] = await on.run("unflatten_channels_last", [flat], { shape });
      assert.deepEqual([...image!], [...x.data]);
    }),
    { numRuns: on.runs(30) },
  );
});
