import assert from "node:assert/strict";
import { gunzipSync } from "node:zlib";
import { assembleCifar10, parseBinaryBatch, parsePythonBatch } from "../../../core/data/cifar10.ts";
import { pythonBatches } from "../../fixtures/python_batches.ts";
import { binaryBatch, interleavedImages, python2Batch } from "../../support/cifar_files.ts";

Deno.test("cifar10: binary records become interleaved images", () => {
  const { images, labels } = parseBinaryBatch(binaryBatch([6, 0, 9]), "data_batch_1.bin");
  assert.deepEqual([...labels], [6, 0, 9]);
  assert.deepEqual(images, interleavedImages(3));
});

Deno.test("cifar10: a binary file of a wrong size or label has its line", () => {
  const bytes = binaryBatch([1, 2]);
  const expected = "expected 30730000 \\(10000 records of 3073 bytes; fewer whole records will do\\)";
  for (const length of [0, 1, 3072, 3074, 6145]) {
    assert.throws(
      () => parseBinaryBatch(bytes.subarray(0, length), "t.bin"),
      new RegExp(`^UserError: t\\.bin: ${length} bytes, ${expected}; the file is short`),
    );
  }
  assert.throws(() => parseBinaryBatch(new Uint8Array(10_001 * 3073), "t.bin"), /30733073 bytes.*too long/);
  bytes[3073] = 10;
  assert.throws(() => parseBinaryBatch(bytes, "t.bin"), /t\.bin: record 1 has label 10, expected 0 to 9/);
});

Deno.test("cifar10: batches pickled by Python 2, as the official ones", () => {
  const { images, labels } = parsePythonBatch(python2Batch([6, 0, 9]), "data_batch_1");
  assert.deepEqual([...labels], [6, 0, 9]);
  assert.deepEqual(images, interleavedImages(3));
});

for (const [name, base64] of Object.entries(pythonBatches)) {
  Deno.test(`cifar10: batches pickled by Python 3, ${name}`, () => {
    const { images, labels } = parsePythonBatch(gunzipSync(Uint8Array.fromBase64(base64)), "data_batch_1");
    assert.deepEqual([...labels], [3, 9]);
    assert.deepEqual(images, interleavedImages(2));
  });
}

Deno.test("cifar10: a Python batch that is cut or of other content has its line", () => {
  const whole = python2Batch([1, 2]);
  const line = /^UserError: data_batch_1: not a readable CIFAR-10 batch: [^\n]+; get the file again$/;
  for (const length of [0, 1, 2, 100, whole.length - 1]) {
    assert.throws(() => parsePythonBatch(whole.subarray(0, length), "data_batch_1"), line);
  }
  const pickle = (text: string) =>
    parsePythonBatch(Uint8Array.from(text, (letter) => letter.charCodeAt(0)), "data_batch_1");
  assert.throws(() => pickle("\x80\x02]."), /the pickle holds no dict/);
  assert.throws(() => pickle("\x80\x02}."), /it has no array "data"/);
  const wrongLabel = whole.slice();
  wrongLabel[whole.indexOf(0x4b) + 1] = 11;
  assert.throws(() => parsePythonBatch(wrongLabel, "data_batch_1"), /data_batch_1: record 0 has label 11/);
});

Deno.test("cifar10: a subset says that it is one", () => {
  const batch = (labels: number[]) => parseBinaryBatch(binaryBatch(labels), "b.bin");
  const { train, test, notes, normalize } = assembleCifar10([batch([1, 2]), batch([3])], batch([4]));
  assert.deepEqual([...train.labels, ...test.labels], [1, 2, 3, 4]);
  assert.deepEqual(train.stored.images.subarray(2 * 3072), interleavedImages(1));
  assert.deepEqual(notes, ["a subset of CIFAR-10: 3 training and 1 test images, officially 50000 and 10000"]);
  assert.equal(train.classes[3], "cat");
  assert.deepEqual(normalize.mean, [0.4914, 0.4822, 0.4465]);
});
