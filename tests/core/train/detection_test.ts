/** The loop on detectors: what is their own. All else is tested on classifiers, since the loop is the same. */
import assert from "node:assert/strict";
import { readSafetensors, writeSafetensors } from "../../../core/format/safetensors.ts";
import { readHeader, restore, toCheckpoint } from "../../../core/train/checkpoint.ts";
import { detection, type DetectionResult } from "../../../core/train/detection.ts";
import { createTrainer, type Trainer, type TrainerOptions } from "../../../core/train/trainer.ts";
import { backendFor } from "../../support/run_op.ts";
import { tinyBoxes, TinyDetector } from "../../support/tiny_boxes.ts";

const pooled = { sanitizeOps: false, sanitizeResources: false };

async function optionsFor(): Promise<TrainerOptions<DetectionResult>> {
  const model = new TinyDetector();
  return {
    backend: await backendFor({ threads: 2 }),
    model,
    data: tinyBoxes(),
    batch_size: 4,
    epochs: 2,
    optimizer: { name: "adamw" },
    lr: () => 0.003,
    task: detection(model.map),
    seed: 5,
    accumulate: 2,
    clip_grad: 10,
    ema_decay: 0.9,
  };
}

async function statesOf({ session }: Trainer<DetectionResult>): Promise<Map<string, Int32Array>> {
  const entries = session.stateNames.map(async (name) => {
    const data = await session.readState(name);
    return [name, new Int32Array(data.buffer, 0, data.length)] as const;
  });
  return new Map(await Promise.all(entries));
}

const sum = (figures: Readonly<Record<string, number>>) => Object.values(figures).reduce((a, b) => a + b, 0);

Deno.test("the parts add up to the loss, of a step, of an epoch and of a test", pooled, async () => {
  const trainer = createTrainer({ ...await optionsFor(), accumulate: 1 });
  await trainer.initialise();
  const losses: number[] = [];
  for await (const event of trainer.train()) {
    if (event.type === "step") {
      assert.deepEqual(Object.keys(event.own), ["xy", "wh", "object", "noobject", "class"]);
      assert.ok(Math.abs(sum(event.own) - event.loss) < 1e-4 * event.loss);
      losses.push(event.loss);
    } else if (event.type === "epoch") {
      const { train, test } = event;
      const own = losses.splice(0);
      assert.ok(Math.abs(train.loss - own.reduce((a, b) => a + b) / own.length) < 1e-9);
      assert.ok(Math.abs(sum(train.figures) - train.loss) < 1e-4 * train.loss);
      const { map50, map50_95, ...parts } = test.figures;
      assert.ok(Math.abs(sum(parts) - test.loss) < 1e-4 * test.loss);
      assert.equal(test.score, map50);
      assert.ok(map50_95! <= map50!);
      assert.deepEqual(test.images.map(({ sample }) => sample), [...Array(11).keys()]);
    }
  }
  trainer.session.dispose();
});

Deno.test(
  "a detector learns, and its test does not depend on how images are put into batches",
  pooled,
  async () => {
    const options = { ...await optionsFor(), accumulate: 1, epochs: 80, clip_grad: 0 };
    const data = { ...options.data, test: options.data.train };
    const trainer = createTrainer({ ...options, data });
    await trainer.initialise();
    const before = await trainer.evaluate();
    for await (const _ of trainer.train());
    const after = await trainer.evaluate();
    assert.ok(after.loss < before.loss / 5, `${before.loss} to ${after.loss}`);
    assert.ok(after.score > 0.9 && trainer.progress.best_score >= after.score, `mAP ${after.score}`);

    const saved = await toCheckpoint(
      options.model,
      trainer.session,
      { model: "tiny", progress: trainer.progress, config: {} },
      { optimizer: true },
    );
    const other = createTrainer({ ...options, data, batch_size: 7 });
    restore(options.model, other.session, saved, "test");
    const again = await other.evaluate();
    assert.ok(Math.abs(again.loss - after.loss) < 1e-5 * after.loss, "what fills up a batch does not count");
    assert.ok(Math.abs(again.score - after.score) < 1e-9);
    for (const { session } of [trainer, other]) session.dispose();
  },
);

Deno.test("a detector's run resumed within an epoch ends with the same bits", pooled, async () => {
  const options = await optionsFor();
  const whole = createTrainer(options);
  await whole.initialise();
  for await (const _ of whole.train());
  const before = createTrainer(options);
  await before.initialise();
  for (let step = 0; step < 3; step++) await before.step();
  const header = { model: "tiny", progress: before.progress, config: {} };
  const { tensors, metadata } = await toCheckpoint(options.model, before.session, header, {
    optimizer: true,
  });
  const file = readSafetensors(writeSafetensors(tensors, metadata));
  const after = createTrainer(options);
  restore(options.model, after.session, file, "test");
  Object.assign(after.progress, readHeader(file.metadata, "test")!.progress);
  for await (const _ of after.train());
  assert.deepEqual(after.progress, whole.progress);
  assert.deepEqual(await statesOf(after), await statesOf(whole));
  for (const { session } of [whole, before, after]) session.dispose();
});
