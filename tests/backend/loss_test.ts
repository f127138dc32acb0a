import assert from "node:assert/strict";
import fc from "fast-check";
import { countCorrect, crossEntropy } from "../reference/loss.ts";
import { assertClose } from "../support/close.ts";
import { uniform } from "../support/uniform.ts";
import { onBackends } from "../support/on_backends.ts";

interface Case {
  readonly rows: number;
  readonly classes: number;
  readonly smoothing: number;
  readonly seed: number;
}

function given({ rows, classes, seed }: Case) {
  const scores = uniform(seed, rows * classes, -8, 8);
  const target = Int32Array.from(uniform(seed + 1, rows), (x) => Math.floor((x + 1) / 2 * classes) % classes);
  return { rows, classes, scores, target };
}

const someCase = fc.record({
  rows: fc.integer({ min: 1, max: 12 }),
  classes: fc.integer({ min: 1, max: 40 }),
  smoothing: fc.constantFrom(0, 0.1, 0.5),
  seed: fc.nat(),
});

onBackends("cross entropy and its gradient agree with float64", async (on) => {
  const check = async (example: Case) => {
    const { rows, classes, smoothing } = example;
    const { scores, target } = given(example);
    const expected = crossEntropy({ rows, classes, scores, target }, smoothing);
    const sum = expected.losses.reduce((a, b) => a + b);
    const upstream = uniform(example.seed + 2, rows);
    const targetInput = { shape: [rows], data: target, dtype: "i32" as const };
    for (const reduction of ["mean", "sum", "none"] as const) {
      const attrs = { label_smoothing: smoothing, reduction };
      const inputs = [{ shape: [rows, classes], data: scores }, targetInput];
      const [loss, probabilities] = await on.run("cross_entropy", inputs, attrs);
      const wanted = { mean: [sum / rows], sum: [sum], none: expected.losses }[reduction];
      assertClose(loss, wanted, { relative: 3e-7, absolute: 1e-6 }, reduction);
      assertClose(
        probabilities,
        expected.probabilities,
        { relative: 2e-6, absolute: 1e-12 },
        "probabilities",
      );

      const dloss = reduction === "none" ? { shape: [rows], data: upstream } : { shape: [], data: [1.5] };
      const back = [dloss, { shape: [rows, classes], data: probabilities! }, targetInput];
      const [dx] = await on.run("cross_entropy_grad", back, attrs);
      const scale = (i: number) =>
        ({ mean: 1.5 / rows, sum: 1.5, none: upstream[Math.floor(i / classes)]! })[reduction];
      assertClose(
        dx,
        expected.grads.map((g, i) => g * scale(i)),
        { absolute: 1e-6 },
        `gradient, ${reduction}`,
      );
    }
  };
  await fc.assert(fc.asyncProperty(someCase, check), { numRuns: on.runs(15) });
  await check({ rows: 700, classes: 13, smoothing: 0.1, seed: 3 });
  await check({ rows: 3, classes: 5001, smoothing: 0.1, seed: 4 });
});

onBackends("a target of −1 does not count; any other that is no class makes the loss NaN", async (on) => {
  const target = { shape: [4], data: [-1, 1, 3, 2_000_000_000], dtype: "i32" as const };
  const scores = { shape: [4, 3], data: [5, 6, 7, 0, 0, 0, 1, 2, 3, 1, 2, 3] };
  const attrs = { label_smoothing: 0.1, reduction: "none" as const };
  const [losses, probabilities] = await on.run("cross_entropy", [scores, target], attrs);
  assertClose(losses, [0, Math.log(3), NaN, NaN], { absolute: 1e-6 });
  const upstream = { shape: [4], data: [1, 1, 1, 1] };
  const [dx] = await on.run(
    "cross_entropy_grad",
    [upstream, { shape: [4, 3], data: probabilities! }, target],
    attrs,
  );
  assert.deepEqual(Array.from(dx!.slice(0, 3), Math.abs), [0, 0, 0]);
  const [correct] = await on.run("count_correct", [scores, target], { k: 2 });
  assert.equal(correct![0], 1);
});

onBackends("a score that is not finite makes the loss not finite", async (on) => {
  for (const bad of [NaN, Infinity]) {
    const scores = { shape: [2, 5], data: [1, 2, bad, 4, 5, 1, 2, 3, 4, 5] };
    const target = { shape: [2], data: [0, 1], dtype: "i32" as const };
    const [loss] = await on.run("cross_entropy", [scores, target], { label_smoothing: 0, reduction: "mean" });
    assert.ok(Number.isNaN(loss![0]));
  }
});

onBackends("count_correct ranks as a stable sort does, with ties", async (on) => {
  const scored = someCase.chain(({ rows, classes }) =>
    fc.record({
      rows: fc.constant(rows),
      classes: fc.constant(classes),
      // Few different scores make many ties.
      scores: fc.array(fc.integer({ min: 0, max: 5 }), {
        minLength: rows * classes,
        maxLength: rows * classes,
      }),
      target: fc.array(fc.nat({ max: classes - 1 }), { minLength: rows, maxLength: rows }),
      k: fc.integer({ min: 1, max: 6 }),
    })
  );
  await fc.assert(
    fc.asyncProperty(scored, async ({ rows, classes, scores, target, k }) => {
      const inputs = [{ shape: [rows, classes], data: scores }, {
        shape: [rows],
        data: target,
        dtype: "i32" as const,
      }];
      const [correct] = await on.run("count_correct", inputs, { k });
      assert.equal(correct![0], countCorrect({ rows, classes, scores, target }, k));
    }),
    { numRuns: on.runs(40) },
  );
});

onBackends("broken scores are never right", async (on) => {
  const scores = { shape: [2, 3], data: [NaN, NaN, NaN, 1, NaN, 0] };
  const target = { shape: [2], data: [0, 0], dtype: "i32" as const };
  assert.equal((await on.run("count_correct", [scores, target], { k: 1 }))[0]![0], 0);
  assert.equal((await on.run("count_correct", [scores, target], { k: 3 }))[0]![0], 1);
});
