import assert from "node:assert/strict";
import { detect } from "../../../core/detect/detect.ts";
import { unit } from "../../../core/verify/fill.ts";
import { assertClose } from "../../support/close.ts";
import cases from "../../fixtures/detection/detect.json" with { type: "json" };

for (const { name, conf, iou, most, detections, width, height, ...shape } of cases) {
  Deno.test(`a map's detections are those of PyTorch and torchvision: ${name}`, () => {
    const number = unit(name);
    const numbers = shape.split_size ** 2 * (shape.num_classes + 5 * shape.num_boxes);
    const map = Float32Array.from({ length: numbers }, (_, i) => number(i) * 1.25 - 0.25);
    const found = detect(map, shape, { width, height }, {
      conf_threshold: conf,
      iou_threshold: iou,
      max_detections: most,
    });
    assert.deepEqual(found.map(({ label }) => label), detections.map(([label]) => label));
    for (const [i, { score, box: { x1, y1, x2, y2 } }] of found.entries()) {
      assertClose([score, x1, y1, x2, y2], detections[i]!.slice(1), 1e-9, `detection ${i}`);
    }
  });
}
