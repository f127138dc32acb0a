import assert from "node:assert/strict";
import fc from "fast-check";
import { calibrate } from "../../../core/metrics/calibration.ts";
import { confusionMatrix, worstConfusions } from "../../../core/metrics/confusion.ts";
import { confidentMistakes, someAnswers } from "../../../core/metrics/mistakes.ts";
import { classScores, macroAverage } from "../../../core/metrics/per_class.ts";
import { collectPredictions, softmax, topAccuracy, topK } from "../../../core/metrics/predictions.ts";

function predictionsOf(rows: readonly (readonly [target: number, probabilities: readonly number[]])[]) {
  const collector = collectPredictions(rows.length, rows[0]![1].length);
  rows.forEach(([target, values], i) => collector.add(10 + i, target, Float32Array.from(values)));
  return collector.finish();
}

/** Two of three right; the middle one confidently wrong. */
const three = predictionsOf([[0, [0.5, 0.25, 0.25]], [1, [0.75, 0.125, 0.125]], [2, [0, 0.25, 0.75]]]);

Deno.test("topK sorts as a stable sort does", () => {
  fc.assert(fc.property(
    fc.array(fc.integer({ min: 0, max: 9 }), { minLength: 1, maxLength: 20 }),
    fc.integer({ min: 1, max: 8 }),
    (values, k) => {
      const sorted = values.map((_, i) => i).sort((a, b) => values[b]! - values[a]!);
      assert.deepEqual(topK(values, k), sorted.slice(0, k));
    },
  ));
});

Deno.test("softmax sums to 1 and bears large scores", () => {
  const [a, b] = softmax([1000, 1000 - Math.log(3)]);
  assert.ok(Math.abs(a! - 0.75) < 1e-6 && Math.abs(b! - 0.25) < 1e-6);
});

Deno.test("accuracies, confusions and the scores of classes are those counted by hand", () => {
  assert.equal(topAccuracy(three, 1), 2 / 3);
  assert.equal(topAccuracy(three, 2), 1);
  assert.equal(topAccuracy(three, 5), 1);
  const matrix = confusionMatrix(three, 3);
  assert.deepEqual([...matrix], [1, 0, 0, 1, 0, 0, 0, 0, 1]);
  assert.deepEqual(worstConfusions(matrix, 3, 4), [{ actual: 1, predicted: 0, count: 1 }]);
  const scores = classScores(matrix, ["a", "b", "c"]);
  assert.deepEqual(scores[0], { name: "a", precision: 0.5, recall: 1, f1: 2 / 3, support: 1 });
  assert.deepEqual(scores[1], { name: "b", precision: 0, recall: 0, f1: 0, support: 1 });
  assert.equal(macroAverage(scores).recall, 2 / 3);
});

Deno.test("a class without images has no part in the averages", () => {
  const scores = classScores(Uint32Array.of(3, 0, 0, 0), ["here", "nowhere"]);
  assert.deepEqual(macroAverage(scores), { precision: 1, recall: 1, f1: 1 });
});

Deno.test("mistakes come by confidence, with the image that each is about", () => {
  const [first, ...rest] = confidentMistakes(three, 5);
  assert.deepEqual(first, { sample: 11, actual: 1, predicted: 0, confidence: 0.75 });
  assert.equal(rest.length, 0);
  assert.deepEqual(someAnswers(three, 2).map(({ sample }) => sample), [10, 11]);
});

Deno.test("the calibration error is the distance between confidence and accuracy, by bins", () => {
  const { error, bins } = calibrate(predictionsOf([
    [0, [0.9, 0.1]],
    [1, [0.9, 0.1]],
    [0, [0.6, 0.4]],
  ]));
  assert.deepEqual(bins.map(({ count }) => count), [1, 2]);
  assert.ok(Math.abs(error - (0.4 + 0.8) / 3) < 1e-6, `${error}`);
});
