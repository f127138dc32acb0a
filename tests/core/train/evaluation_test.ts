import assert from "node:assert/strict";
import { allocateBatch, fillTestBatch } from "../../../core/data/batches.ts";
import { softmax } from "../../../core/metrics/predictions.ts";
import { createEvaluator, evaluateAll } from "../../../core/train/evaluation.ts";
import { sessionGraphs } from "../../../core/train/graphs.ts";
import { batchShape } from "../../../core/train/run_graphs.ts";
import { backendFor } from "../../support/run_op.ts";
import { tinyData, TinyNet } from "../../support/tiny.ts";
import { classification } from "../../../core/train/classification.ts";

const pooled = { sanitizeOps: false, sanitizeResources: false };

Deno.test(
  "answers are each image's probabilities; with flip, their mean with the mirror image's",
  pooled,
  async () => {
    const data = tinyData();
    const batch_size = 8;
    const session = (await backendFor({ threads: 2 })).compile(sessionGraphs(new TinyNet(), {
      images: batchShape(data, batch_size),
      optimizer: { name: "adam" },
      task: classification(),
    }));
    session.write("init", "rng", [1, 2, 3, 4]);
    await session.run("init");

    /** Of all test images, one way round or the other. */
    const probabilities = async (flip: 0 | 1) => {
      const all: Float32Array[] = [];
      for (let step = 0; step < 3; step++) {
        const batch = allocateBatch(data.test, batch_size);
        await fillTestBatch(batch, data.test, step);
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

    for (const [flip, expected] of [[false, plain], [true, mean]] as const) {
      const result = await evaluateAll(
        createEvaluator(session, { data, batch_size, task: classification({ flip }) }),
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
    session.dispose();
  },
);
