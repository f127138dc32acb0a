import assert from "node:assert/strict";
import { detectionReport, iouHistogram } from "../../../core/metrics/detection_report.ts";
import { iouChart } from "../../../core/plot/iou_chart.ts";
import { precisionRecallChart } from "../../../core/plot/precision_recall.ts";
import { svgOf } from "../../../core/plot/svg.ts";

const box = (x1: number, width = 10) => ({ x1, y1: 0, x2: x1 + width, y2: 10 });

/** Of each class an object that is found, and one that only class 0 finds. */
function images(classes: number) {
  return Array.from({ length: classes }, (_, label) => ({
    objects: [0, 50].map((x) => ({ box: box(x), label, difficult: false })),
    detections: [
      { box: box(1), label, score: 0.9 },
      ...label === 0 ? [{ box: box(50), label, score: 0.8 }] : [],
    ],
  }));
}

Deno.test("precision and recall: a line a class with its average precision", async () => {
  const names = ["cat", "dog", "unicorn"];
  const svg = await svgOf(
    precisionRecallChart(detectionReport(images(2), { classes: names }), "net on pets"),
  );
  assert.ok(svg.includes(">net on pets: mAP@0.5 75.0 %<"));
  assert.ok(svg.includes(">cat 100.0 %<") && svg.includes(">dog 50.0 %<"));
  assert.ok(!svg.includes(">unicorn"), "there is none to find");
});

Deno.test("precision and recall: of many classes the worst are shown, and of none nothing", async () => {
  const names = Array.from({ length: 30 }, (_, i) => `class ${i}`);
  const svg = await svgOf(precisionRecallChart(detectionReport(images(30), { classes: names }), "net"));
  assert.match(svg, /the 7 worst of 30 classes/);
  assert.ok(!svg.includes(">class 0 "), "the best");
  const none = detectionReport([{ objects: [], detections: [] }], { classes: ["cat"] });
  assert.match(await svgOf(precisionRecallChart(none, "net")), /net: mAP@0\.5 –/);
});

Deno.test("the histogram has a bar a bin, coloured by whether the IoU is enough", async () => {
  const bins = iouHistogram(images(2), ["cat", "dog"], { bins: 4, score_threshold: 0.2 });
  const svg = await svgOf(iouChart(bins, { name: "net", iou_threshold: 0.5, score_threshold: 0.2 }));
  const bars = [...svg.matchAll(/aria-label="[^"]*IoU of 0\.5 or more"/g)];
  assert.equal(bars.length, 2);
  assert.match(svg, /net: 3 detections of a confidence from 0\.2/);
});
