import assert from "node:assert/strict";
import fc from "fast-check";
import type { YoloLossAttrs } from "../../core/ops/yolo_loss.ts";
import { cellIous, yoloLossParts } from "../reference/yolo_loss.ts";
import { assertClose } from "../support/close.ts";
import { uniform } from "../support/uniform.ts";
import { type On, onBackends } from "../support/on_backends.ts";

interface Case extends YoloLossAttrs {
  readonly images: number;
  readonly seed: number;
}

const someCase: fc.Arbitrary<Case> = fc.record({
  images: fc.integer({ min: 1, max: 4 }),
  split_size: fc.integer({ min: 1, max: 5 }),
  num_boxes: fc.integer({ min: 1, max: 4 }),
  num_classes: fc.integer({ min: 0, max: 9 }),
  lambda_coord: fc.constantFrom(5, 1, 0.25),
  lambda_noobj: fc.constantFrom(0.5, 1, 2),
  reduction: fc.constantFrom("mean", "sum"),
  seed: fc.nat(),
});

/** A third of the cells each: with an object, without one, not counting. Predictions may be negative, as a network's are. */
function given({ images, split_size, num_boxes, num_classes, seed }: Case) {
  const cells = images * split_size ** 2;
  const prediction = uniform(seed, cells * (num_classes + 5 * num_boxes), -0.5, 2);
  const numbers = uniform(seed + 1, 5 * cells, 0, 1);
  const target = Float32Array.from(numbers, (u, i) => {
    if (i % 5 === 0) {
      const kind = Math.floor(3 * u);
      return num_classes > 0 && kind === 0 ? Math.floor(3 * u * num_classes) : kind === 1 ? -1 : -2;
    }
    return i % 5 < 3 ? u : 0.1 + u * split_size;
  });
  return { prediction, target };
}

async function run(on: On, example: Case, prediction: ArrayLike<number>, target: ArrayLike<number>) {
  const { images, seed: _, ...attrs } = example;
  const inputs = [
    { shape: [images, prediction.length / images], data: prediction },
    { shape: [images, target.length / images], data: target },
  ];
  const [loss, parts] = await on.run("yolo_loss", inputs, attrs);
  const upstream = { shape: [], data: [1.5] };
  const [grad] = await on.run("yolo_loss_grad", [upstream, ...inputs], attrs);
  return { loss: loss![0]!, parts: parts!, grad: grad! };
}

const sumOf = (numbers: readonly number[]) => numbers.reduce((a, b) => a + b, 0);

onBackends("YOLO's loss and its parts agree with float64", async (on) => {
  const check = async (example: Case) => {
    const { prediction, target } = given(example);
    const { loss, parts } = await run(on, example, prediction, target);
    const expected = yoloLossParts(prediction, target, example);
    assertClose(parts, expected, { relative: 2e-7, absolute: 1e-7 }, "parts");
    assertClose([loss], [sumOf(expected)], { relative: 2e-7, absolute: 1e-7 }, "loss");
  };
  await fc.assert(fc.asyncProperty(someCase, check), { numRuns: on.runs(20) });
  await check({
    images: 9,
    split_size: 7,
    num_boxes: 2,
    num_classes: 20,
    lambda_coord: 5,
    lambda_noobj: 0.5,
    reduction: "mean",
    seed: 1,
  });
});

onBackends("its gradient is what differences of the loss say", async (on) => {
  await fc.assert(
    fc.asyncProperty(someCase, async (any) => {
      const example = { ...any, images: Math.min(any.images, 2), split_size: Math.min(any.split_size, 3) };
      const { prediction, target } = given(example);
      const { grad } = await run(on, example, prediction, target);
      const fixed = cellIous(prediction, target, example);
      const step = 1e-6;
      for (let i = 0; i < prediction.length; i++) {
        // The root's slope is steep near 0, where a difference says little.
        if (Math.abs(prediction[i]!) < 1e-3) continue;
        const at = (offset: number) => {
          const moved = Float64Array.from(prediction);
          moved[i]! += offset;
          return sumOf(yoloLossParts(moved, target, example, fixed));
        };
        const slope = 1.5 * (at(step) - at(-step)) / (2 * step);
        assertClose([grad[i]!], [slope], { relative: 1e-4, absolute: 1e-4 }, `gradient ${i}`);
      }
    }),
    { numRuns: on.runs(10) },
  );
});

const one: Case = {
  images: 1,
  split_size: 1,
  num_boxes: 2,
  num_classes: 1,
  lambda_coord: 5,
  lambda_noobj: 0.5,
  reduction: "mean",
  seed: 0,
};

onBackends("of boxes that overlap alike the first is responsible", async (on) => {
  const box = (confidence: number) => [confidence, 0.5, 0.5, 1, 1];
  const same = await run(on, one, [1, ...box(0.25), ...box(0.5)], [0, 0.5, 0.5, 1, 1]);
  assertClose(same.parts, [0, 0, 0.75 ** 2, 0.5 * 0.5 ** 2, 0], { absolute: 1e-6 });
  // Boxes that miss the object altogether, and boxes of negative width, overlap alike as well.
  const away = (x: number, w: number) => [0.5, x, 0.5, w, 1];
  const missed = await run(on, one, [1, ...away(9, 1), ...away(0.5, -1)], [0, 0.5, 0.5, 1, 1]);
  assertClose(missed.parts, [5 * 8.5 ** 2, 0, 0.25, 0.125, 0], { absolute: 1e-4 });
  assert.notEqual(missed.grad[2], 0);
  assert.equal(missed.grad[7], 0);
});

onBackends("without an object only confidence counts; a cell that does not count gives 0", async (on) => {
  const prediction = [7, 0.5, 9, 9, 9, 9, -2, 9, 9, 9, 9];
  const empty = await run(on, one, prediction, [-1, 1, 1, 1, 1]);
  assertClose(empty.parts, [0, 0, 0, 0.5 * (0.25 + 4), 0], 0);
  assertClose(empty.grad, [0, 0.75, 0, 0, 0, 0, -3, 0, 0, 0, 0], 0);
  const skipped = await run(on, one, prediction, [-2, 1, 1, 1, 1]);
  assert.equal(skipped.loss, 0);
  assert.ok(skipped.grad.every((x) => x === 0));
});

onBackends("a class that is none, or a prediction that is no number, makes the loss NaN", async (on) => {
  const fine = [1, 0.5, 0.5, 0.5, 1, 1, 0.5, 0.5, 0.5, 1, 1];
  for (const label of [1, -3, 0.5, NaN, Infinity, 3e9]) {
    assert.ok(Number.isNaN((await run(on, one, fine, [label, 0.5, 0.5, 1, 1])).loss), `class ${label}`);
  }
  for (let i = 0; i < fine.length; i++) {
    const { loss } = await run(on, one, fine.with(i, NaN), [0, 0.5, 0.5, 1, 1]);
    assert.ok(Number.isNaN(loss), `prediction ${i}`);
  }
});

onBackends("shapes that do not go with S, B and C are named", async (on) => {
  await assert.rejects(run(on, one, [1, 2, 3], [0, 0, 0, 1, 1]), /S = 1, B = 2, C = 1 .* must be \[1, 11\]/);
  await assert.rejects(
    run(on, one, Array(11).fill(1), [0, 0, 0]),
    /target must be f32 \[1, 5\], not f32 \[1, 3\]/,
  );
});
