import assert from "node:assert/strict";
import { detectionCases, someCases, worstCases } from "../../../core/metrics/detection_cases.ts";

const at = (x1: number) => ({ x1, y1: 0, x2: x1 + 10, y2: 10 });
const object = (x1: number, label = 0, difficult = false) => ({ box: at(x1), label, difficult });
const found = (x1: number, score: number, label = 0) => ({ box: at(x1), label, score });
const options = { score_threshold: 0.2, iou_threshold: 0.5 };

Deno.test("each image's detections are right, wrong or ignored, and its objects found or missed", () => {
  const image = {
    objects: [object(0), object(50), object(100, 1), object(150, 0, true)],
    detections: [
      found(0, 0.9),
      found(1, 0.8), // The same once more.
      found(100, 0.7), // Another class is there.
      found(150, 0.6), // On a difficult object.
      found(50, 0.1), // Too little confidence.
    ],
  };
  const [one] = detectionCases([image], options);
  assert.deepEqual(one, {
    image: 0,
    right: [image.detections[0]],
    wrong: [image.detections[1], image.detections[2]],
    ignored: [image.detections[3]],
    missed: [1, 2],
  });
});

Deno.test("the worst come first, those without a mistake not at all", () => {
  const cases = detectionCases([
    { objects: [object(0)], detections: [found(0, 0.9)] },
    { objects: [object(0)], detections: [found(0, 0.9), found(70, 0.5)] },
    { objects: [object(0)], detections: [] },
    { objects: [object(0)], detections: [found(70, 0.9)] },
  ], options);
  assert.deepEqual(worstCases(cases, 9).map(({ image }) => image), [3, 2, 1]);
  assert.deepEqual(worstCases(cases, 1).map(({ image }) => image), [3]);
  assert.deepEqual(someCases(cases, 2).map(({ image }) => image), [0, 2]);
  assert.deepEqual(someCases(cases, 9).length, 4);
});
