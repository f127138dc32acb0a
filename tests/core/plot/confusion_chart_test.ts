import assert from "node:assert/strict";
import { confusionChart } from "../../../core/plot/confusion_chart.ts";

/** What its cells are drawn from. */
function cellsOf(matrix: Uint32Array, names: readonly string[]): readonly unknown[] {
  return (confusionChart(matrix, names, "")["data"] as { values: unknown[] }).values;
}

Deno.test("the cells of a confusion matrix: only what happened, with its share of the true class", () => {
  assert.deepEqual(cellsOf(Uint32Array.of(3, 1, 0, 0, 0, 0, 0, 2, 2), ["a", "b", "c"]), [
    { actual: "a", predicted: "a", count: 3, share: 0.75 },
    { actual: "a", predicted: "b", count: 1, share: 0.25 },
    { actual: "c", predicted: "b", count: 2, share: 0.5 },
    { actual: "c", predicted: "c", count: 2, share: 0.5 },
  ]);
});

Deno.test("a thousand classes take no longer than their matrix is read", () => {
  const n = 1000;
  const matrix = new Uint32Array(n * n);
  for (let i = 0; i < n; i++) matrix[i * n + i] = 50;
  const names = Array.from({ length: n }, (_, i) => `class ${i}`);
  const began = performance.now();
  assert.equal(cellsOf(matrix, names).length, n);
  // About 50 ms; 20 s where each cell sums its row up again.
  assert.ok(performance.now() - began < 5000);
});
