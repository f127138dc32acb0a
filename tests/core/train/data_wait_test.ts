import assert from "node:assert/strict";
import { noAugmentation } from "../../../core/data/augmentation.ts";
import type { DatasetSplit } from "../../../core/data/dataset.ts";
import { rehandle } from "../../../core/data/memory.ts";
import { createTrainer } from "../../../core/train/trainer.ts";
import { createImagePool } from "../../../host/images/pool.ts";
import { backendFor } from "../../support/run_op.ts";
import { tinyData, tinyOptions } from "../../support/tiny.ts";

const loose = { sanitizeOps: false, sanitizeResources: false };

/** The share of an epoch's time that waited for images. */
async function dataWait(data: DatasetSplit): Promise<number> {
  const backend = await backendFor({ threads: 2 });
  const trainer = createTrainer({ ...tinyOptions(), backend, data, epochs: 1 });
  await trainer.initialise();
  try {
    for await (const event of trainer.train()) if (event.type === "epoch") return event.data_wait;
  } finally {
    trainer.session.dispose();
  }
  throw new Error("no epoch ended");
}

Deno.test("images in memory that take longer to vary than to learn from are waited for", loose, async () => {
  const pool = createImagePool(1);
  const augmentation = { ...noAugmentation, rand_augment: { num_ops: 30, magnitude: 15 } };
  const slow = rehandle(tinyData(), { input: [3, 32, 32], augmentation, change: pool.change });
  try {
    const varied = await dataWait(slow), plain = await dataWait(tinyData());
    assert.ok(varied > 0.5, `varied ${varied}`);
    assert.ok(plain < 0.2, `plain ${plain}`);
  } finally {
    pool.close();
  }
});
