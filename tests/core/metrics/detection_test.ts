import assert from "node:assert/strict";
import fc from "fast-check";
import type { Box } from "../../../core/detect/box.ts";
import { averagePrecision } from "../../../core/metrics/average_precision.ts";
import { cocoAnnotations, cocoResults } from "../../../core/metrics/coco.ts";
import type { JudgedImage } from "../../../core/metrics/detection_matches.ts";
import { evaluateDetections, judgedImage } from "../../../core/metrics/detection_evaluation.ts";
import { detectionReport, iouHistogram } from "../../../core/metrics/detection_report.ts";
import { detectionTable } from "../../../core/metrics/detection_table.ts";
import { vocEval } from "../../reference/voc_eval.ts";

const classes = ["cat", "dog", "unicorn"];
/** Few places, so that boxes meet often. */
const someBox: fc.Arbitrary<Box> = fc.tuple(...[0, 1, 2, 3].map(() => fc.nat({ max: 4 })))
  .map(([x1, y1, w, h]) => ({ x1: x1!, y1: y1!, x2: x1! + 1 + w!, y2: y1! + 1 + h! }));
const label = fc.nat({ max: 1 });
const someImages: fc.Arbitrary<JudgedImage[]> = fc.array(
  fc.record({
    objects: fc.array(fc.record({ box: someBox, label, difficult: fc.boolean() }), { maxLength: 6 }),
    detections: fc.array(
      fc.record({ box: someBox, label, score: fc.double({ min: 0, max: 1, noNaN: true }) }),
      {
        maxLength: 12,
      },
    ),
  }),
  { maxLength: 5 },
);

Deno.test("average precision is what VOC's own program says, difficult objects and all", () => {
  fc.assert(
    fc.property(someImages, fc.constantFrom(0.25, 0.5, 0.75), (images, iou_threshold) => {
      const report = detectionReport(images, { classes, iou_threshold });
      for (const [label, { ap, ap11, objects }] of report.classes.entries()) {
        const expected = vocEval(images, label, iou_threshold);
        assert.equal(objects, expected.npos);
        if (objects === 0) assert.deepEqual([ap, ap11], [undefined, undefined]);
        else {
          assert.ok(Math.abs(ap! - expected.area) < 1e-12);
          assert.ok(Math.abs(ap11! - expected.ap11) < 1e-12);
        }
      }
    }),
    { numRuns: 300 },
  );
});

const box = (x: number, width = 10): Box => ({ x1: x, y1: 0, x2: x + width, y2: 10 });
const cat = (x: number, difficult = false) => ({ box: box(x), label: 0, difficult });
const found = (x: number, score: number, label = 0) => ({ box: box(x), label, score });

Deno.test("twice the same object is one hit and one miss; a difficult one counts neither way", () => {
  const images = [
    {
      objects: [cat(0), cat(50, true)],
      detections: [found(0, 0.9), found(1, 0.8), found(50, 0.7), found(50, 0.6)],
    },
    { objects: [cat(20)], detections: [] },
  ];
  const report = detectionReport(images, { classes: ["cat"] });
  const [cats] = report.classes;
  assert.deepEqual(cats!.curve, [
    { score: 0.9, precision: 1, recall: 0.5 },
    { score: 0.8, precision: 0.5, recall: 0.5 },
  ]);
  assert.deepEqual([cats!.objects, cats!.difficult, cats!.detections, cats!.ap], [2, 1, 4, 0.5]);
  assert.deepEqual(cats!.best, { score: 0.9, precision: 1, recall: 0.5 });
  assert.equal(report.map, 0.5);
});

Deno.test("an IoU of exactly the threshold is enough", () => {
  const images = [{ objects: [cat(0)], detections: [{ box: box(0, 5), label: 0, score: 1 }] }];
  assert.equal(detectionReport(images, { classes: ["cat"], iou_threshold: 0.5 }).map, 1);
  assert.equal(detectionReport(images, { classes: ["cat"], iou_threshold: 0.51 }).map, 0);
  const { report, map50, map50_95 } = evaluateDetections(images, ["cat"], { iou_threshold: 0.55 });
  assert.deepEqual([report.map, map50, map50_95], [0, 1, 0.1]);
});

Deno.test("the 11 points count whole objects: 3 of 10 is a recall of 0.3", () => {
  const curve = [1, 2, 3].map((right) => ({ score: 1, precision: 1, recall: right / 10 }));
  assert.ok(Math.abs(averagePrecision(curve, 10, "11 points")! - 4 / 11) < 1e-15);
});

Deno.test("a map is judged in the image's own pixels", () => {
  // Two cells a side, one box a cell, two classes: the second cell holds a dog of one cell's size at its middle.
  const map = new Float32Array(4 * 7);
  map.set([0.1, 0.9, 0.8, 0.5, 0.5, 1, 1], 7);
  const shape = { split_size: 2, num_boxes: 1, num_classes: 2 };
  const objects = [{
    box: { x1: 40, y1: 0, x2: 80, y2: 30 },
    label: 1,
    difficult: false,
    truncated: false,
  }];
  const judged = judgedImage(map, shape, { width: 80, height: 60, objects });
  assert.deepEqual(
    judged.detections.map(({ label, box, score }) => [label, box, Math.round(100 * score)]),
    [[1, objects[0]!.box, 72], [0, objects[0]!.box, 8]],
  );
  const { report, map50_95 } = evaluateDetections([judged], ["cat", "dog"]);
  assert.deepEqual([report.map, report.map11, map50_95], [1, 1, 1]);
  const few = judgedImage(map, shape, { width: 80, height: 60, objects }, {
    conf_threshold: 0.5,
    iou_threshold: 0.5,
    max_detections: 1,
  });
  assert.deepEqual(few.detections, judged.detections.slice(0, 1));
});

Deno.test("without objects there is no average precision, and the mean does without the class", () => {
  const images = [{ objects: [cat(0)], detections: [found(0, 1), found(0, 1, 1)] }];
  const report = detectionReport(images, { classes });
  assert.deepEqual(report.classes.map(({ ap }) => ap), [1, undefined, undefined]);
  assert.equal(report.map, 1);
  assert.equal(detectionReport([], { classes }).map, undefined);
  assert.deepEqual(detectionTable(report), [
    "Class    Objects  Detections        AP      AP11  Precision    Recall  at score",
    "cat            1           1  100.00 %  100.00 %   100.00 %  100.00 %      1.00",
    "dog            0           1         –         –          –         –         –",
    "unicorn        0           0         –         –          –         –         –",
    "mAP@0.5: 100.00 % (by 11 points 100.00 %)",
  ]);
});

Deno.test("the histogram counts each detection of a class once", () => {
  const images = [{
    objects: [cat(0)],
    detections: [found(0, 0.9), found(5, 0.8), found(90, 0.7), found(0, 0.1)],
  }];
  const bins = iouHistogram(images, ["cat"], { bins: 4, score_threshold: 0.5 });
  assert.deepEqual(bins.map(({ count }) => count), [1, 1, 0, 1]);
  assert.deepEqual([bins[1]!.from, bins[1]!.to], [0.25, 0.5]);
});

Deno.test("COCO's files: numbers from 1, boxes by corner and size", () => {
  const [result] = cocoResults([[], [{ box: { x1: 1, y1: 2, x2: 4, y2: 8 }, label: 2, score: 0.5 }]]);
  assert.deepEqual(result, { image_id: 2, category_id: 3, bbox: [1, 2, 3, 6], score: 0.5 });
  const image = { name: "a", path: "images/a.jpg", width: 20, height: 10 };
  const file = cocoAnnotations([{ ...image, objects: [{ ...cat(0, true), truncated: false }] }], ["cat"]);
  assert.deepEqual(file.images, [{ id: 1, file_name: "images/a.jpg", width: 20, height: 10 }]);
  assert.deepEqual(file.categories, [{ id: 1, name: "cat" }]);
  assert.deepEqual(file.annotations, [
    { id: 1, image_id: 1, category_id: 1, bbox: [0, 0, 10, 10], area: 100, iscrowd: 0, ignore: 1 },
  ]);
});
