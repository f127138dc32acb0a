import assert from "node:assert/strict";
import fc from "fast-check";
import { decode } from "../../../core/detect/decode.ts";
import type { LabelledBox } from "../../../core/detect/labelled_box.ts";
import { cellsOf, fillEmptyTarget, fillTarget } from "../../../core/detect/targets.ts";
import { assertClose } from "../../support/close.ts";

const object = (x1: number, y1: number, x2: number, y2: number, rest: Partial<LabelledBox> = {}) => ({
  box: { x1, y1, x2, y2 },
  label: 0,
  difficult: false,
  truncated: false,
  ...rest,
});

const someImage = fc.record({
  width: fc.integer({ min: 8, max: 900 }),
  height: fc.integer({ min: 8, max: 900 }),
  split_size: fc.integer({ min: 1, max: 9 }),
  edges: fc.array(
    fc.tuple(...[0, 1, 2, 3].map(() => fc.integer({ min: 0, max: 1000 })), fc.nat({ max: 4 })),
    { maxLength: 12 },
  ),
}).map(({ edges, width, height, split_size }) => {
  const objects = edges.map(([a, b, c, d, label]) => {
    const span = (p: number, q: number, extent: number) =>
      [Math.min(p, q) / 1001 * extent, (Math.max(p, q) + 1) / 1001 * extent] as const;
    const [x1, x2] = span(a!, b!, width), [y1, y2] = span(c!, d!, height);
    return object(x1, y1, x2, y2, { label: label! });
  });
  return { width, height, split_size, objects };
});

/** The map of a network that answers exactly what a target asks for. */
function perfectMap(target: Float32Array, num_classes: number): number[] {
  return Array.from({ length: target.length / 5 }, (_, cell) => {
    const [label, ...box] = target.subarray(5 * cell, 5 * cell + 5);
    const scores = Array.from({ length: num_classes }, (_, i) => i === label ? 1 : 0);
    return [...scores, label! < 0 ? 0 : 1, ...box];
  }).flat();
}

Deno.test("what a target asks for is decoded to the boxes that it was made from", () => {
  fc.assert(fc.property(someImage, (image) => {
    const { split_size, width, height, objects } = image;
    const target = new Float32Array(5 * split_size ** 2);
    const dropped = fillTarget(target, image, split_size);
    const cells = new Set(cellsOf(image, split_size));
    assert.equal(dropped, objects.length - cells.size);
    const map = perfectMap(target, 5);
    const options = { split_size, num_boxes: 1, num_classes: 5, width, height, conf_threshold: 0.5 };
    const found = decode(map, options);
    assert.equal(found.length, cells.size);
    for (const { box, label, score } of found) {
      assert.equal(score, 1);
      const edges = Object.values(box);
      const original = objects.find((object) =>
        object.label === label &&
        Object.values(object.box).every((edge, i) => Math.abs(edge - edges[i]!) <= 1e-3)
      );
      assert.ok(original, `${edges} is none of the objects`);
    }
  }));
});

Deno.test("a target's cell: class, middle from the cell's corner, extents in cells", () => {
  const target = new Float32Array(5 * 4);
  assert.equal(fillTarget(target, { width: 200, height: 100, objects: [object(110, 10, 150, 40)] }, 2), 0);
  assertClose(target, [-1, 0, 0, 0, 0, 0, 0.3, 0.5, 0.4, 0.6, ...[-1, 0, 0, 0, 0, -1, 0, 0, 0, 0]], 1e-7);
  fillEmptyTarget(target);
  assert.deepEqual([...target.subarray(0, 6)], [-2, 0, 0, 0, 0, -2]);
});

Deno.test("of two objects in a cell the first stays, but one that is not difficult before one that is", () => {
  const label = (objects: LabelledBox[]) => {
    const target = new Float32Array(5);
    const dropped = fillTarget(target, { width: 10, height: 10, objects }, 1);
    return [target[0], dropped];
  };
  const one = object(4, 4, 6, 6, { label: 1 }), two = object(1, 1, 9, 9, { label: 2 });
  assert.deepEqual(label([one, two]), [1, 1]);
  assert.deepEqual(label([{ ...one, difficult: true }, two]), [2, 1]);
  assert.deepEqual(label([{ ...one, difficult: true }, { ...two, difficult: true }]), [1, 1]);
});

Deno.test("an object whose middle lies on the image's edge is in the last cell", () => {
  assert.deepEqual(cellsOf({ width: 10, height: 10, objects: [object(10, 10, 10, 10)] }, 7), [48]);
});

Deno.test("a map's boxes: each class above the threshold, cut at the edges, none from negative numbers", () => {
  const shape = { split_size: 1, num_boxes: 2, num_classes: 3, width: 100, height: 50, conf_threshold: 0.25 };
  const found = decode([0.9, 0.3, 0.6, 0.5, 0.5, 0.5, 2, 0.5, 0.4, 0.5, 0.5, -1, 0.5], shape);
  assert.deepEqual(found, [
    { box: { x1: 0, y1: 12.5, x2: 100, y2: 37.5 }, label: 0, score: 0.45 },
    { box: { x1: 0, y1: 12.5, x2: 100, y2: 37.5 }, label: 2, score: 0.3 },
  ]);
  assert.deepEqual(decode([-1, -1, -1, ...[-1, 0.5, 0.5, 1, 1], ...[NaN, 0.5, 0.5, 1, 1]], shape), []);
  assert.throws(() => decode([1, 2], shape), /a map of 2 numbers, expected 1 cells of 13/);
});
