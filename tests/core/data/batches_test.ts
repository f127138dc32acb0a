import assert from "node:assert/strict";
import {
  allocateBatch,
  fillTestBatch,
  fillTrainBatch,
  testedImage,
  testSteps,
  trainSteps,
} from "../../../core/data/batches.ts";
import { type Handling, inMemory, type MemoryDataset } from "../../../core/data/memory.ts";
import { permutation } from "../../../core/random.ts";

const moving: Handling = { padding: 4, hflip: 0.5 };

/** Image i is 2×2×3 bytes of value i; its label is i mod 5. */
function numbered(count: number, handling = moving): MemoryDataset {
  return inMemory({
    name: "numbered",
    classes: [..."abcde"],
    width: 2,
    height: 2,
    channels: 3,
    images: Uint8Array.from({ length: count * 12 }, (_, i) => Math.floor(i / 12)),
    labels: Uint8Array.from({ length: count }, (_, i) => i % 5),
  }, handling);
}

/** All batches of an epoch: the images' numbers, their moves and targets. */
function epochOf(dataset: MemoryDataset, batchSize: number, seed: number, epoch: number) {
  const batch = allocateBatch(dataset, batchSize);
  const order = permutation(dataset.labels.length, seed, epoch);
  const samples: { image: number; move: number[]; target: number }[] = [];
  for (let step = 0; step < trainSteps(dataset, batchSize); step++) {
    fillTrainBatch(batch, dataset, { seed, epoch, step, order });
    batch.target.forEach((target, slot) => {
      const pixels = new Set(batch.pixels.subarray(slot * 12, (slot + 1) * 12));
      assert.equal(pixels.size, 1);
      samples.push({
        image: [...pixels][0]!,
        move: [...batch.moves.subarray(slot * 3, slot * 3 + 3)],
        target,
      });
    });
  }
  return samples;
}

Deno.test("batches: an epoch has each image once, with its label", () => {
  const samples = epochOf(numbered(60), 10, 7, 0);
  assert.deepEqual(
    samples.map(({ image }) => image).sort((a, b) => a - b),
    Array.from({ length: 60 }, (_, i) => i),
  );
  for (const { image, target } of samples) assert.equal(target, image % 5);
});

Deno.test("batches: the incomplete last one is dropped in training", () => {
  assert.equal(epochOf(numbered(25), 10, 7, 0).length, 20);
  assert.throws(
    () => trainSteps(numbered(5), 6),
    /^UserError: --batch-size 6: numbered has 5 training images; use at most 5$/,
  );
});

Deno.test("batches: seed and epoch decide everything, and batch size nothing about a sample", () => {
  const dataset = numbered(60);
  assert.deepEqual(epochOf(dataset, 10, 7, 3), epochOf(dataset, 10, 7, 3));
  assert.deepEqual(epochOf(dataset, 10, 7, 3), epochOf(dataset, 20, 7, 3));
  const images = (seed: number, epoch: number) =>
    epochOf(dataset, 10, seed, epoch).map(({ image }) => image).join();
  assert.notEqual(images(7, 3), images(7, 4));
  assert.notEqual(images(7, 3), images(8, 3));
});

Deno.test("batches: crops reach every place of the padded image, half of them are mirrored", () => {
  const moves = Array.from({ length: 20 }, (_, epoch) => epochOf(numbered(200), 100, 1, epoch)).flat();
  const counts = new Map<number, number>();
  for (const { move: [top, left] } of moves) {
    assert.ok(Math.abs(top!) <= 4 && Math.abs(left!) <= 4);
    const place = top! * 9 + left!;
    counts.set(place, (counts.get(place) ?? 0) + 1);
  }
  assert.equal(counts.size, 81);
  // 4,000 draws: 49 a place, standard deviation 7; and 2,000 mirrored, standard deviation 32.
  assert.ok([...counts.values()].every((count) => count > 14 && count < 84));
  const mirrored = moves.filter(({ move }) => move[2] === 1).length;
  assert.ok(Math.abs(mirrored - 2000) < 160, `${mirrored}`);
});

Deno.test("batches: without padding and flip nothing moves", () => {
  const still = numbered(40, { padding: 0, hflip: 0 });
  for (const { move } of epochOf(still, 20, 1, 0)) assert.deepEqual(move, [0, 0, 0]);
});

Deno.test("batches: a test has each image once and in order; what fills the last batch does not count", () => {
  const dataset = numbered(7);
  const batch = allocateBatch(dataset, 3);
  batch.moves.fill(9);
  const seen: number[] = [];
  const targets: number[] = [];
  for (let step = 0; step < testSteps(dataset, 3); step++) {
    fillTestBatch(batch, dataset, step);
    assert.deepEqual([...batch.moves], Array(9).fill(0));
    for (let slot = 0; slot < 3; slot++) seen.push(batch.pixels[slot * 12]!);
    targets.push(...batch.target);
  }
  assert.deepEqual(seen.slice(0, 7), [0, 1, 2, 3, 4, 5, 6]);
  assert.deepEqual(targets, [0, 1, 2, 3, 4, 0, 1, -1, -1]);
});

Deno.test("batches: a test on some images spreads them over all, which may lie by class", () => {
  const dataset = numbered(12);
  const batch = allocateBatch(dataset, 3);
  const seen = [0, 1].flatMap((step) => {
    fillTestBatch(batch, dataset, step, 5);
    return [0, 1, 2].map((slot) => [batch.pixels[slot * 12]!, batch.target[slot]!]);
  });
  const images = [1, 3, 6, 8, 10];
  const expected = images.map((image) => [image, dataset.labels[image]!]);
  assert.deepEqual(seen.slice(0, 5), expected);
  assert.equal(seen[5]![1], -1, "what fills up the last batch does not count");
  assert.deepEqual(images.map((_, place) => testedImage(dataset, place, 5)), images);
  for (const place of [0, 6, 11]) assert.equal(testedImage(dataset, place, 12), place);
});
