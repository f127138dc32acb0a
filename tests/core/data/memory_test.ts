import assert from "node:assert/strict";
import { allocateBatch, type Batch } from "../../../core/data/batches.ts";
import { loadDigits } from "../../../core/data/digits.ts";
import { type Handling, inMemory, rehandle } from "../../../core/data/memory.ts";
import { crop, flipHorizontally } from "../../../core/data/transforms/crop.ts";
import { createImagePool } from "../../../host/images/pool.ts";
import { tinyData } from "../../support/tiny.ts";

const { stored } = tinyData().train;
const moving: Handling = { padding: 3, hflip: 0.5 };
const samples = Uint32Array.from({ length: 20 }, (_, i) => 2 * i);
const at = { seed: 9, epoch: 2 };

async function filled(handling: Handling, moment: typeof at | undefined): Promise<Batch> {
  const dataset = inMemory(stored, handling);
  const batch = allocateBatch(dataset, samples.length);
  batch.moves.fill(99);
  await dataset.fill(batch, samples, moment);
  return batch;
}

Deno.test("memory: pixels are moved before the network as the op image_batch would move them", async () => {
  const fast = await filled(moving, at);
  // A transform that changes nothing makes the slow way the one that is taken.
  const slow = await filled(
    { ...moving, augmentation: [{ name: "RandomHorizontalFlip", probability: 0 }] },
    at,
  );
  assert.deepEqual([...new Set(slow.moves)], [0]);
  assert.ok(new Set(fast.moves).size > 4);
  const size = 8 * 8 * 3;
  samples.forEach((_, slot) => {
    const [top, left, flip] = [...fast.moves.subarray(3 * slot, 3 * slot + 3)] as [number, number, number];
    const image = {
      width: 8,
      height: 8,
      channels: 3,
      data: fast.pixels.subarray(slot * size, (slot + 1) * size),
    };
    const moved = crop(image, top, left, [8, 8]);
    const wanted = flip ? flipHorizontally(moved) : moved;
    assert.deepEqual(slow.pixels.subarray(slot * size, (slot + 1) * size), wanted.data);
  });
});

Deno.test("memory: evaluations see the images as they are, whatever training does to them", async () => {
  const augmentation = [{ name: "RandAugment", num_ops: 2, magnitude: 20 } as const];
  const plain = await filled({ padding: 0, hflip: 0 }, undefined);
  assert.deepEqual(await filled({ ...moving, augmentation }, undefined), plain);
  assert.notDeepEqual((await filled({ ...moving, augmentation }, at)).pixels, plain.pixels);
  assert.deepEqual(
    await filled({ ...moving, augmentation }, at),
    await filled({ ...moving, augmentation }, at),
  );
});

Deno.test("memory: images of another size, grey or in colour, with the constants that go with them", async () => {
  const digits = await loadDigits();
  const grey = rehandle(digits, { input: [1, 24, 20] });
  assert.deepEqual([grey.train.channels, grey.train.height, grey.train.width], [1, 24, 20]);
  assert.deepEqual([grey.normalize.mean.length, grey.normalize.std.length], [1, 1]);
  assert.ok(Math.abs(grey.normalize.mean[0]! - digits.normalize.mean[0]!) < 1e-12);
  const batch = allocateBatch(grey.test, 4);
  await grey.test.fill(batch, Uint32Array.of(0, 1, 2, 3), undefined);
  assert.equal(batch.pixels.length, 4 * 24 * 20);
  const average = (bytes: Uint8Array) => bytes.reduce((sum, byte) => sum + byte, 0) / bytes.length;
  const size = 32 * 32 * 3;
  const own = average(digits.test.stored.images.subarray(0, 4 * size));
  assert.ok(Math.abs(average(batch.pixels) - own) < 2, "as bright as before");
});

Deno.test({
  name: "memory: workers change images to the same bytes, ahead of the steps",
  sanitizeOps: false,
  sanitizeResources: false,
  async fn() {
    const augmentation = [{ name: "RandAugment", num_ops: 2, magnitude: 20 }] as const;
    const pool = createImagePool(2);
    try {
      const changed = { ...moving, augmentation, change: pool.change };
      assert.deepEqual(await filled(changed, at), await filled({ ...moving, augmentation }, at));
      assert.deepEqual([inMemory(stored, changed).ahead, inMemory(stored, moving).ahead], [3, 1]);
    } finally {
      pool.close();
    }
  },
});
