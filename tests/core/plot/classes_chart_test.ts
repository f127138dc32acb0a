import assert from "node:assert/strict";
import { classScores } from "../../../core/metrics/per_class.ts";
import { classesChart } from "../../../core/plot/classes_chart.ts";
import { svgOf } from "../../../core/plot/svg.ts";

Deno.test("the weakest classes come first, and those without images are not among them", async () => {
  // Of 100 classes only three have images: as when ImageNet's weights are tested on a few photographs.
  const n = 100;
  const matrix = new Uint32Array(n * n);
  matrix[5 * n + 5] = 9;
  matrix[5 * n + 99] = 1;
  matrix[6 * n + 6] = 1;
  matrix[6 * n + 98] = 1;
  matrix[7 * n + 7] = 1;
  const names = Array.from({ length: n }, (_, i) => `class ${i}`);
  const svg = await svgOf(classesChart(classScores(matrix, names)));
  const named = [...svg.matchAll(/>(class \d+)<\/text>/g)].map(([, name]) => name);
  assert.deepEqual(named, ["class 6", "class 5", "class 7"]);
  assert.ok(svg.includes(">by F1, the weakest class first; no test image is of 97 others</text>"));
});

Deno.test("of many classes the weakest are shown, and it is told how many are better", async () => {
  const n = 50;
  const matrix = Uint32Array.from({ length: n * n }, (_, i) => i % (n + 1) === 0 ? 2 : 0);
  const names = Array.from({ length: n }, (_, i) => `class ${i}`);
  const svg = await svgOf(classesChart(classScores(matrix, names)));
  assert.ok(svg.includes(">the 40 classes with the lowest F1; 10 better ones are in classes.csv</text>"));
});
