import assert from "node:assert/strict";
import { comparison } from "../../../core/plot/comparison.ts";
import { PALETTE } from "../../../core/plot/style.ts";
import { svgOf } from "../../../core/plot/svg.ts";

Deno.test("no two of fourteen runs look alike", async () => {
  const runs = Array.from({ length: 2 * PALETTE.length }, (_, i) => ({
    name: `run ${i}`,
    log: [1, 2].map((epoch) => ({ epoch, test_accuracy: 0.5 + i / 100, test_loss: 1 + i / 100 })),
  }));
  const svg = await svgOf(comparison(runs));
  const lines = [
    ...svg.matchAll(
      /<path aria-label="[^"]*" role="graphics-symbol" aria-roledescription="line mark"[^>]*>/g,
    ),
  ]
    .map(([path]) => `${/ stroke="([^"]+)"/.exec(path)![1]} ${/stroke-dasharray="([^"]+)"/.exec(path)?.[1]}`);
  // In each of the two charts.
  assert.equal(lines.length, 2 * runs.length);
  assert.equal(new Set(lines).size, runs.length);
});
