import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import type { MemoryDataset } from "../../../core/data/memory.ts";
import { type Dataset, imageBytes } from "../../../core/data/dataset.ts";
import { loadDigits, parseDigits } from "../../../core/data/digits.ts";

const { train, test, normalize } = await loadDigits();

function perClass({ labels, classes }: Dataset): number[] {
  return classes.map((_, label) => labels.filter((other) => other === label).length);
}

Deno.test("digits: all 1,797 images, 80 to 20 in every class", () => {
  assert.deepEqual([train.count, test.count], [1442, 355]);
  assert.deepEqual(perClass(train), [143, 146, 142, 147, 145, 146, 145, 144, 140, 144]);
  assert.deepEqual(perClass(test), [35, 36, 35, 36, 36, 36, 36, 35, 34, 36]);
  for (const { images, labels, width, height, channels } of [train.stored, test.stored]) {
    assert.deepEqual([width, height, channels], [32, 32, 3]);
    assert.equal(images.length, labels.length * 32 * 32 * 3);
  }
});

Deno.test("digits: the same bytes on every machine", () => {
  const hash = createHash("sha256");
  for (const { images, labels } of [train.stored, test.stored]) hash.update(images).update(labels);
  assert.equal(hash.digest("hex"), "71b03d871946561f9259512181d0f1eb545194a9a490a0173c2225bee0d5c4d0");
});

Deno.test("digits: no image of the test part is in the training part", () => {
  const keys = ({ stored: { images, labels } }: MemoryDataset) =>
    Array.from(labels, (_, i) => images.subarray(i * 3072, (i + 1) * 3072).join());
  const known = new Set(keys(train));
  assert.deepEqual(keys(test).filter((key) => known.has(key)), []);
});

Deno.test("digits: mean and std are those of the training images", () => {
  let sum = 0, squares = 0;
  for (const byte of train.stored.images) {
    sum += byte / 255;
    squares += (byte / 255) ** 2;
  }
  const mean = sum / train.stored.images.length;
  const std = Math.sqrt(squares / train.stored.images.length - mean ** 2);
  assert.deepEqual(normalize.mean, Array(3).fill(Number(mean.toFixed(4))));
  assert.deepEqual(normalize.std, Array(3).fill(Number(std.toFixed(4))));
});

Deno.test("digits: scaled as bilinear interpolation without aligned corners says", () => {
  const grey = Array.from({ length: 64 }, (_, i) => (i * 7 + (i >> 3) * 5) % 17);
  const { images } = parseDigits([...grey, 3].join()).train.stored;
  const at = (i: number) => Math.min(Math.max((i + 0.5) / 4 - 0.5, 0), 7);
  for (let y = 0; y < 32; y++) {
    for (let x = 0; x < 32; x++) {
      const top = Math.floor(at(y)), left = Math.floor(at(x));
      const bottom = Math.min(top + 1, 7), right = Math.min(left + 1, 7);
      const below = at(y) - top, after = at(x) - left;
      const value = (1 - below) * ((1 - after) * grey[top * 8 + left]! + after * grey[top * 8 + right]!) +
        below * ((1 - after) * grey[bottom * 8 + left]! + after * grey[bottom * 8 + right]!);
      const pixel = (y * 32 + x) * 3;
      const expected = Math.round(value * 255 / 16);
      assert.deepEqual([...images.subarray(pixel, pixel + 3)], [expected, expected, expected], `${y}, ${x}`);
    }
  }
});

Deno.test("digits: every fifth of a class is for the test", () => {
  const line = (label: number) => [...Array(64).fill(0), label].join();
  const { train, test } = parseDigits(
    [...Array(7).fill(line(4)), ...Array(5).fill(line(2))].join("\n") + "\n",
  );
  assert.deepEqual([...train.labels], [4, 4, 4, 4, 4, 4, 2, 2, 2, 2]);
  assert.deepEqual([...test.labels], [4, 2]);
  assert.equal(train.stored.images.length, 10 * imageBytes(train));
});

Deno.test("digits: a bad file has its line", async () => {
  const row = (first: string, label: string) => [first, ...Array(63).fill(0), label].join();
  assert.throws(
    () => parseDigits("1,2,3"),
    /^UserError: digits\.csv line 1: 3 numbers, expected 64 pixels and a label$/,
  );
  assert.throws(
    () => parseDigits(`${row("0", "1")}\n${row("17", "1")}`),
    /line 2: "17", expected a pixel of 0 to 16/,
  );
  assert.throws(() => parseDigits(row("0", "10")), /line 1: "10", expected a label of 0 to 9/);
  assert.throws(() => parseDigits(row("x", "1")), /line 1: "x"/);
  assert.throws(() => parseDigits(row("", "1")), /line 1: ""/);
  await assert.rejects(
    loadDigits(new URL("nothing.csv.gz", import.meta.url)),
    /nothing\.csv\.gz: cannot be read/,
  );
  await assert.rejects(loadDigits(new URL(import.meta.url)), /digits_test\.ts: not a readable gzip file/);
});
