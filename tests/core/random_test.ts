import assert from "node:assert/strict";
import fc from "fast-check";
import { draw, integer, keyOf, permutation, philox, uniform } from "../../core/random.ts";
import { philox as reference } from "../reference/random.ts";

/** From Random123's kat_vectors: counter, key, result. */
const knownAnswers = [
  "00000000 00000000 00000000 00000000 00000000 00000000 6627e8d5 e169c58d bc57ac4c 9b00dbd8",
  "ffffffff ffffffff ffffffff ffffffff ffffffff ffffffff 408f276d 41c83b0e a20bc7c6 6d5451fd",
  "243f6a88 85a308d3 13198a2e 03707344 a4093822 299f31d0 d16cfe09 94fdcceb 5001e420 24126ea1",
].map((line) => line.split(" ").map((word) => parseInt(word, 16)));

Deno.test("Philox gives the published answers", () => {
  for (const [c0, c1, c2, c3, k0, k1, ...answer] of knownAnswers as number[][]) {
    assert.deepEqual(philox([k0!, k1!], [c0!, c1!, c2!, c3!]), answer);
    assert.deepEqual(reference([k0!, k1!], [c0!, c1!, c2!, c3!]), answer);
  }
});

Deno.test("Philox agrees with big integers", () => {
  const word = fc.nat({ max: 0xffffffff });
  fc.assert(
    fc.property(fc.tuple(word, word), fc.tuple(word, word, word, word), (key, counter) => {
      assert.deepEqual(philox(key, counter), reference(key, counter));
    }),
  );
});

Deno.test("a seed keeps all its 53 bits", () => {
  assert.deepEqual(keyOf(2 ** 40 + 5), [5, 256]);
  assert.notDeepEqual(draw(1, "crop", 0, 0), draw(2 ** 32 + 1, "crop", 0, 0));
});

Deno.test("draws differ by purpose, epoch and sample, and repeat", () => {
  const all = [
    draw(1, "crop", 0, 0),
    draw(1, "flip", 0, 0),
    draw(1, "crop", 1, 0),
    draw(1, "crop", 0, 1),
    draw(2, "crop", 0, 0),
  ];
  assert.equal(new Set(all.map(String)).size, all.length);
  assert.deepEqual(draw(1, "crop", 0, 0), all[0]);
});

Deno.test("uniform and integer stay in their ranges", () => {
  assert.equal(uniform(0), 0);
  assert.ok(uniform(0xffffffff) < 1);
  fc.assert(fc.property(fc.nat({ max: 0xffffffff }), fc.integer({ min: 1, max: 2 ** 31 }), (word, bound) => {
    const value = integer(word, bound);
    return Number.isInteger(value) && value >= 0 && value < bound;
  }));
  assert.equal(integer(0xffffffff, 10), 9);
});

Deno.test("permutation holds every index once and depends on seed and epoch", () => {
  for (const n of [0, 1, 2, 3, 4, 5, 100, 1001]) {
    assert.deepEqual([...permutation(n, 3, 4)].sort((a, b) => a - b), Array.from({ length: n }, (_, i) => i));
  }
  assert.deepEqual(permutation(100, 3, 4), permutation(100, 3, 4));
  assert.notDeepEqual(permutation(100, 3, 4), permutation(100, 3, 5));
  assert.notDeepEqual(permutation(100, 3, 4), permutation(100, 4, 4));
});

Deno.test("permutation puts every index everywhere equally often", () => {
  const n = 5, epochs = 6000, seen = new Array<number>(n * n).fill(0);
  for (let epoch = 0; epoch < epochs; epoch++) {
    permutation(n, 42, epoch).forEach((value, place) => seen[place * n + value]!++);
  }
  // Five standard deviations of a binomial count.
  const expected = epochs / n, bound = 5 * Math.sqrt(epochs * (1 / n) * (1 - 1 / n));
  for (const count of seen) assert.ok(Math.abs(count - expected) < bound, `${count} instead of ${expected}`);
});
