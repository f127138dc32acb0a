import assert from "node:assert/strict";
import fc from "fast-check";
import { areaOf, type Box, clipBox, iou } from "../../../core/detect/box.ts";
import type { Detection } from "../../../core/detect/detection.ts";
import { nms, suppress } from "../../../core/detect/nms.ts";
import { unit } from "../../../core/verify/fill.ts";
import fixture from "../../fixtures/detection/nms.json" with { type: "json" };

const someBox: fc.Arbitrary<Box> = fc.tuple(...[0, 1, 2, 3].map(() => fc.integer({ min: 0, max: 12 })))
  .map(([x1, y1, w, h]) => ({ x1: x1!, y1: y1!, x2: x1! + w!, y2: y1! + h! }));
const someDetection: fc.Arbitrary<Detection> = fc.record({
  box: someBox,
  label: fc.nat({ max: 2 }),
  score: fc.integer({ min: 0, max: 20 }).map((score) => score / 20),
});
const threshold = fc.constantFrom(0, 0.1, 0.3, 0.5, 0.75, 1);

for (const { name, count, classes, iou_threshold, ties, keep } of fixture) {
  Deno.test(`suppression keeps the boxes that torchvision keeps: ${name}`, () => {
    const u = unit(`${name}/boxes`), label = unit(`${name}/labels`);
    const detections = Array.from({ length: count }, (_, i): Detection => {
      const [a, b, c, d, e] = [0, 1, 2, 3, 4].map((k) => u(5 * i + k)) as [
        number,
        number,
        number,
        number,
        number,
      ];
      const [x1, y1] = [0.7 * a, 0.7 * b];
      const [x2, y2] = [x1 + 0.05 + 0.3 * c, y1 + 0.05 + 0.3 * d];
      return {
        box: { x1: Math.fround(x1), y1: Math.fround(y1), x2: Math.fround(x2), y2: Math.fround(y2) },
        label: Math.floor(label(i) * classes),
        score: Math.fround(ties > 0 ? Math.floor(e * ties) / ties : e),
      };
    });
    const kept = suppress(detections, { iou_threshold }).map((detection) => detections.indexOf(detection));
    assert.deepEqual(kept, keep);
  });
}

Deno.test("what stays does not overlap, and what goes overlaps with something better that stays", () => {
  fc.assert(fc.property(fc.array(someDetection, { maxLength: 40 }), threshold, (all, iou_threshold) => {
    const kept = suppress(all, { iou_threshold });
    const overlap = (a: Detection, b: Detection) =>
      a !== b && a.label === b.label && iou(a.box, b.box) > iou_threshold;
    for (const a of kept) assert.ok(!kept.some((b) => overlap(a, b)));
    for (const lost of all.filter((detection) => !kept.includes(detection))) {
      assert.ok(kept.some((better) => better.score >= lost.score && overlap(lost, better)));
    }
    for (let i = 1; i < kept.length; i++) assert.ok(kept[i - 1]!.score >= kept[i]!.score);
  }));
});

Deno.test("at most so many remain: the best", () => {
  fc.assert(fc.property(fc.array(someDetection), fc.nat({ max: 9 }), (all, max_detections) => {
    const every = suppress(all, { iou_threshold: 0.5 });
    assert.deepEqual(
      suppress(all, { iou_threshold: 0.5, max_detections }),
      every.slice(0, max_detections),
    );
  }));
});

Deno.test("a score that is not a number comes last", () => {
  const box = (x1: number) => ({ x1, y1: 0, x2: x1 + 1, y2: 1 });
  assert.deepEqual(nms([box(0), box(5), box(9)], [NaN, 0.2, 0.7], 0.5), [2, 1, 0]);
});

Deno.test("IoU is the share of unit squares that two boxes have in common", () => {
  const covers = ({ x1, y1, x2, y2 }: Box, x: number, y: number) => x1 <= x && x < x2 && y1 <= y && y < y2;
  fc.assert(fc.property(someBox, someBox, (a, b) => {
    let both = 0, any = 0;
    for (let x = 0; x < 24; x++) {
      for (let y = 0; y < 24; y++) {
        if (covers(a, x, y) && covers(b, x, y)) both++;
        if (covers(a, x, y) || covers(b, x, y)) any++;
      }
    }
    assert.equal(iou(a, b), both === 0 ? 0 : both / any);
    assert.equal(iou(a, b), iou(b, a));
    assert.equal(areaOf(clipBox(a, 10, 10)) <= areaOf(a), true);
  }));
});
