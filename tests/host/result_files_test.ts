import assert from "node:assert/strict";
import { inMemory } from "../../core/data/memory.ts";
import { collectPredictions } from "../../core/metrics/predictions.ts";
import type { ClassificationResult } from "../../core/train/classification.ts";
import { mistakesHeading, writeResults } from "../../host/result_files.ts";
import { namesIn, withFolder } from "../support/temp_folder.ts";

const test = inMemory({
  name: "two dots",
  classes: ["dark", "light"],
  width: 1,
  height: 1,
  channels: 1,
  images: Uint8Array.of(0, 255),
  labels: Uint8Array.of(0, 1),
}, { padding: 0, hflip: 0 });

/** What a network that takes the dots for these classes comes to. */
function answering(...classes: number[]): ClassificationResult {
  const collector = collectPredictions(2, 2);
  classes.forEach((answer, i) => collector.add(i, i, Float32Array.of(1 - answer, answer)));
  const accuracy = classes.filter((answer, i) => answer === i).length / 2;
  const figures = { accuracy, top5: 1 };
  return {
    kind: "classes",
    loss: 1,
    score: accuracy,
    accuracy,
    top5: 1,
    figures,
    predictions: collector.finish(),
  };
}

Deno.test(
  "mistakes of an earlier evaluation are not shown beside the figures of one without any",
  { sanitizeOps: false, sanitizeResources: false },
  () =>
    withFolder(async (folder) => {
      const always = ["classes.csv", "classes.svg", "confusion.svg"];
      await writeResults(folder, "net on dots", test, answering(0, 0));
      assert.deepEqual(namesIn(folder), [...always, "mistakes.png"]);
      await writeResults(folder, "net on dots", test, answering(0, 1));
      assert.deepEqual(namesIn(folder), always);
    }),
);

Deno.test("a picture of all mistakes says so", () => {
  assert.deepEqual([1, 2, 24].map((count) => mistakesHeading(count, "net on dots")), [
    "The only mistake of net on dots",
    "All 2 mistakes of net on dots, the most confident first",
    "The 24 most confident mistakes of net on dots",
  ]);
});
