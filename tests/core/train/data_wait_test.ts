import assert from "node:assert/strict";
import { rehandle } from "../../../core/data/memory.ts";
import { createTrainer } from "../../../core/train/trainer.ts";
import { backendFor } from "../../support/run_op.ts";
import { tinyData, tinyOptions } from "../../support/tiny.ts";

const loose = { sanitizeOps: false, sanitizeResources: false };

/** The share of an epoch's time that waited for images, with so many operations of RandAugment. */
async function dataWait(num_ops: number): Promise<number> {
  const rand_augment = num_ops === 0 ? null : { num_ops, magnitude: 15 };
  const augmentation = { rand_augment, color_jitter: null, random_erase: 0 };
  const data = rehandle(tinyData(), { input: [3, 32, 32], augmentation });
  const trainer = createTrainer({
    ...tinyOptions(),
    backend: await backendFor({ threads: 2 }),
    data: num_ops === 0 ? tinyData() : data,
    epochs: 1,
  });
  await trainer.initialise();
  try {
    for await (const event of trainer.train()) if (event.type === "epoch") return event.data_wait;
  } finally {
    trainer.session.dispose();
  }
  throw new Error("no epoch ended");
}

Deno.test("images in memory that take longer to vary than to learn from are waited for", loose, async () => {
  const varied = await dataWait(30), plain = await dataWait(0);
  assert.ok(varied > 0.5, `varied ${varied}`);
  assert.ok(plain < 0.2, `plain ${plain}`);
});
