import assert from "node:assert/strict";
import { allocateBatch, DOES_NOT_COUNT, fillTestBatch } from "../../../core/data/batches.ts";
import type { Dataset } from "../../../core/data/dataset.ts";
import { softmax } from "../../../core/metrics/predictions.ts";
import { createEvaluator, evaluateAll } from "../../../core/train/evaluation.ts";
import { sessionGraphs } from "../../../core/train/graphs.ts";
import { batchShape } from "../../../core/train/run_graphs.ts";
import { onBackends } from "../../support/on_backends.ts";
import { tinyData, TinyNet } from "../../support/tiny.ts";
import { sessionWithDepth } from "../../support/with_depth.ts";
import { classification } from "../../../core/train/classification.ts";

onBackends(
  "answers are each image's probabilities; or their mean with the mirror image's, or of ten parts",
  async ({ backend }) => {
    const data = tinyData();
    const batch_size = 8;
    const session = backend.compile(sessionGraphs(new TinyNet(), {
      images: batchShape(data, batch_size),
      optimizer: { name: "adam" },
      task: classification(),
    }));
    session.write("init", "rng", [1, 2, 3, 4]);
    await session.run("init");

    // Parts of which each is darker than the one before.
    const part = (index: number): Dataset => ({
      ...data.test,
      fill(batch, samples, at) {
        void data.test.fill(batch, samples, at);
        batch.pixels.forEach((pixel, i) => batch.pixels[i] = Math.max(0, pixel - 20 * index));
      },
    });
    const test: Dataset = { ...part(4), tenCrop: part };

    /** Of all test images, one way round or the other. */
    const probabilities = async (flip: 0 | 1, test: Dataset = data.test) => {
      const all: Float32Array[] = [];
      for (let step = 0; step < 3; step++) {
        const batch = allocateBatch(test, batch_size);
        await fillTestBatch(batch, test, step);
        batch.moves.forEach((_, i) => batch.moves[i] = i % 3 === 2 ? flip : 0);
        for (const [input, values] of Object.entries(batch)) session.write("evaluate", input, values);
        await session.run("evaluate");
        const scores = await session.read("evaluate", "scores") as Float32Array;
        for (let slot = 0; slot < batch_size; slot++) all.push(softmax(scores.slice(2 * slot, 2 * slot + 2)));
      }
      return all.slice(0, 22);
    };
    const [plain, mirrored] = [await probabilities(0), await probabilities(1)];
    const mean = plain.map((own, i) => own.map((value, c) => Math.fround((value + mirrored[i]![c]!) / 2)));

    const ten: Float32Array[][] = [];
    for (let index = 0; index < 10; index++) ten.push(await probabilities(0, part(index)));
    const meanOfTen = plain.map((own, i) =>
      own.map((_, c) => ten.reduce((sum, of) => sum + of[i]![c]!, 0) / 10)
    );

    const cases = [
      [undefined, data, plain, 1],
      [undefined, data, plain, 2],
      [undefined, data, plain, 7],
      ["flip", data, mean, 7],
      ["ten-crop", { ...data, test }, meanOfTen, 7],
    ] as const;
    for (const [tta, data, expected, depth] of cases) {
      const task = classification({ tta });
      const result = await evaluateAll(
        createEvaluator(sessionWithDepth(session, depth), { data, batch_size, task }),
      );
      const { predictions, accuracy, loss, top5 } = result;
      assert.equal(predictions.count, 22);
      assert.deepEqual([...predictions.samples], [...Array(22).keys()]);
      assert.deepEqual([...predictions.targets], [...data.test.labels]);
      const tops = expected.map((values) => Math.max(...values));
      tops.forEach((top, i) => assert.ok(Math.abs(predictions.probabilities[2 * i]! - top) < 1e-6));
      const right = expected.filter((values, i) => values[data.test.labels[i]!]! === tops[i]).length;
      assert.equal(accuracy, right / 22);
      assert.equal(top5, 1);
      const losses = expected.map((values, i) => -Math.log(values[data.test.labels[i]!]!));
      assert.ok(Math.abs(loss - losses.reduce((a, b) => a + b) / 22) < 1e-5, `${loss}`);
    }
    const some = await evaluateAll(
      createEvaluator(session, { data, batch_size, limit_batches: 1, task: classification() }),
    );
    const samples = [...some.predictions.samples];
    assert.deepEqual(samples, [1, 4, 6, 9, 12, 15, 17, 20]);
    assert.deepEqual([...some.predictions.targets], samples.map((sample) => data.test.labels[sample]!));
    samples.forEach((sample, i) => {
      assert.ok(Math.abs(some.predictions.probabilities[2 * i]! - Math.max(...plain[sample]!)) < 1e-6);
    });
    // Every dark image is taken for a bright one, by more than float32 has probabilities for.
    session.writeState("fc.bias", Float32Array.of(0, 1000));
    const certain = await evaluateAll(
      createEvaluator(session, { data, batch_size, task: classification({ tta: "flip" }) }),
    );
    assert.ok(Math.abs(certain.loss - 149 * Math.LN2 / 2) < 1e-3, `${certain.loss}`);
    const damaged: Dataset = { ...data.test, fill: (batch) => void batch.target.fill(DOES_NOT_COUNT) };
    for (const tta of [undefined, "flip"] as const) {
      const options = { data: { ...data, test: damaged }, batch_size, task: classification({ tta }) };
      await assert.rejects(
        evaluateAll(createEvaluator(session, options)),
        /^UserError: noise: no image to test on can be decoded$/,
      );
    }
    session.dispose();
  },
);
