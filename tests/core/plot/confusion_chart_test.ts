import assert from "node:assert/strict";
import { confusionChart } from "../../../core/plot/confusion_chart.ts";
import { svgOf } from "../../../core/plot/svg.ts";
import { contrast, partsOf } from "../../support/contrast.ts";

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

Deno.test("the shortest legend names its ends, so that nobody takes 50 % for the most", async () => {
  const svg = await svgOf(confusionChart(Uint32Array.of(3, 1, 0, 4), ["ants", "bees"], ""));
  const shares = [...svg.matchAll(/>(\d+%)<\/text>/g)].map(([, share]) => share);
  assert.deepEqual(shares, ["0%", "5%", "25%", "50%", "100%"]);
});

Deno.test("of many classes those that do not occur are left out, of few none", async () => {
  const n = 1000;
  const matrix = new Uint32Array(n * n);
  matrix[7 * n + 7] = 3;
  matrix[7 * n + 900] = 1;
  matrix[500 * n + 7] = 2;
  const names = Array.from({ length: n }, (_, i) => `class ${i}`);
  const svg = await svgOf(confusionChart(matrix, names, "6 test images"));
  const named = new Set([...svg.matchAll(/>(class \d+)<\/text>/g)].map(([, name]) => name));
  assert.deepEqual([...named].sort(), ["class 500", "class 7", "class 900"]);
  for (const text of ["6 test images", "997 of 1,000 classes do not occur and are left out"]) {
    assert.ok(svg.includes(`>${text}<`), text);
  }
  assert.deepEqual(cellsOf(matrix, names)[1], {
    actual: "class 7",
    predicted: "class 900",
    count: 1,
    share: 0.25,
  });
  const few = await svgOf(confusionChart(Uint32Array.of(1, 0, 0, 0), ["ants", "bees"], "1 test image"));
  assert.ok(few.includes(">bees<") && !few.includes("left out"));
});

Deno.test("names of many classes stand upright over their columns, where inclined ones would touch", async () => {
  const names = Array.from({ length: 30 }, (_, i) => `a longer name ${i}`);
  const svg = await svgOf(confusionChart(new Uint32Array(900).fill(1), names, ""));
  assert.match(svg, / rotate\(270\)[^>]*>a longer name 3</);
});

Deno.test("each number can be read on the colour of its cell", async () => {
  const n = 20;
  // Shares of 0.05 and 0.95, 0.1 and 0.9, and so on.
  const matrix = new Uint32Array(n * n);
  for (let row = 0; row < n; row++) {
    matrix[row * n + row] = 100 - 5 * row;
    matrix[row * n + (row + 1) % n] = 5 * row;
  }
  const svg = await svgOf(confusionChart(matrix, Array.from({ length: n }, (_, i) => `${i}`), ""));
  const cells = [...svg.matchAll(/aria-roledescription="rect mark"[^>]* fill="([^"]+)"/g)].map(([, fill]) =>
    fill!
  );
  const inks = [...svg.matchAll(/aria-roledescription="text mark"[^>]* fill="([^"]+)"/g)].map(([, fill]) =>
    fill!
  );
  assert.deepEqual([cells.length, inks.length], [2 * n - 1, 2 * n - 1]);
  for (const [i, cell] of cells.entries()) {
    const told = contrast(partsOf(cell), partsOf(inks[i]!));
    assert.ok(told > 3.7, `${inks[i]} on ${cell}: ${told}`);
  }
});

Deno.test("a class may be called what JavaScript's objects have", async () => {
  for (const name of ["constructor", "toString", "__proto__"]) {
    const svg = await svgOf(confusionChart(Uint32Array.of(3, 1, 0, 4), [name, "other"], ""));
    assert.equal(svg.split(`>${name}</text>`).length - 1, 2, name);
  }
});
