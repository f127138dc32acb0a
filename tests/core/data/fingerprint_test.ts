import assert from "node:assert/strict";
import type { DatasetSplit } from "../../../core/data/dataset.ts";
import { fingerprint } from "../../../core/data/fingerprint.ts";
import { inMemory, type MemoryImages } from "../../../core/data/memory.ts";
import { tinyData } from "../../support/tiny.ts";

Deno.test("a fingerprint tells any image or label from another, and does not depend on where they lie", () => {
  const data = tinyData();
  const print = fingerprint(data);
  assert.deepEqual([print.train, print.test], [40, 22]);
  assert.match(print.hash, /^[0-9a-f]{8}$/);

  const moved = new Uint8Array(data.train.stored.images.length + 1);
  moved.set(data.train.stored.images, 1);
  const remade = (part: "train" | "test", change: Partial<MemoryImages>): DatasetSplit => ({
    ...data,
    [part]: inMemory({ ...data[part].stored, ...change }, { padding: 0, hflip: 0 }),
  });
  assert.deepEqual(fingerprint(remade("train", { images: moved.subarray(1) })), print);

  const change = (part: "train" | "test", array: "images" | "labels", at: number): DatasetSplit => {
    const bytes = data[part].stored[array].slice();
    bytes[at]! ^= 0x80;
    return remade(part, { [array]: bytes });
  };
  const last = data.train.stored.images.length - 1;
  const changed = [
    change("train", "images", 0),
    change("train", "images", 3),
    change("train", "images", last),
    change("train", "labels", 0),
    change("test", "labels", 21),
    change("test", "images", 1000),
  ].map((other) => fingerprint(other).hash);
  assert.equal(new Set([print.hash, ...changed]).size, changed.length + 1);
});
