/**
 * Random numbers as a pure function of (seed, purpose, epoch, sample): Philox 4×32-10 (Salmon et al. 2011), the generator
 * that the kernels use. Nothing has to be saved to go on where a run was interrupted, and no order of work matters.
 */

/** Four words of 32 bits. */
export type Words = readonly [number, number, number, number];
export type Key = readonly [number, number];

/** High and low word of the product of two words. */
function multiply(a: number, b: number): [number, number] {
  // By halves, since a double holds 53 bits.
  const aLow = a & 0xffff, aHigh = a >>> 16;
  const low = aLow * b, high = aHigh * b;
  const carry = Math.floor(low / 0x10000) + high;
  return [Math.floor(carry / 0x10000), Math.imul(a, b) >>> 0];
}

/** The four words for a key and a counter. */
export function philox(key: Key, counter: Words): Words {
  let [k0, k1] = key, [c0, c1, c2, c3] = counter;
  for (let round = 0; round < 10; round++) {
    const [aHigh, aLow] = multiply(0xd2511f53, c0), [bHigh, bLow] = multiply(0xcd9e8d57, c2);
    c0 = (bHigh ^ c1 ^ k0) >>> 0;
    c1 = bLow;
    c2 = (aHigh ^ c3 ^ k1) >>> 0;
    c3 = aLow;
    k0 = (k0 + 0x9e3779b9) >>> 0;
    k1 = (k1 + 0xbb67ae85) >>> 0;
  }
  return [c0, c1, c2, c3];
}

/** The key of a run: the seed's low and high word. */
export function keyOf(seed: number): Key {
  return [seed >>> 0, Math.floor(seed / 2 ** 32) >>> 0];
}

/** A word as a number in [0, 1), as the kernels make it: a multiple of 2⁻²⁴. */
export function uniform(word: number): number {
  return (word >>> 8) / 2 ** 24;
}

/** A word as an integer in 0 … bound − 1. */
export function integer(word: number, bound: number): number {
  return Math.floor((word * bound) / 2 ** 32);
}

/** What data code draws numbers for; each has numbers of its own. */
const purposes = { shuffle: 0, crop: 1, flip: 2, color: 3, augment: 4, erase: 5, mix: 6 } as const;
export type Purpose = keyof typeof purposes;

/** Tells these counters from the kernels', whose last word is 0. */
const DATA = 1;

/**
 * Four words for one sample of one epoch.
 *
 * ```ts
 * import assert from "node:assert/strict";
 *
 * const [seed, epoch, sample] = [1, 0, 42];
 * const [top] = draw(seed, "crop", epoch, sample);
 * const offset = integer(top, 9) - 4;
 * assert.ok(-4 <= offset && offset <= 4);
 * assert.deepEqual(draw(seed, "crop", epoch, sample)[0], top);
 * ```
 */
export function draw(seed: number, purpose: Purpose, epoch: number, sample: number): Words {
  return philox(keyOf(seed), [sample, purposes[purpose], epoch, DATA]);
}

/** As many random numbers as a transform needs for one sample. */
export interface Stream {
  /** The next 32 random bits. */
  word(): number;
  /** A number in [low, high). */
  between(low: number, high: number): number;
  /** 0 … n − 1 in a random order. */
  permutation(n: number): number[];
}

/** The words of `draw`, and when these are used up, more of the same kind. */
export function stream(seed: number, purpose: Purpose, epoch: number, sample: number): Stream {
  const key = keyOf(seed);
  let words: Words = [0, 0, 0, 0];
  let drawn = 0;
  const word = () => {
    // The last word stays odd, as in `draw`, and grows with each block of four.
    if (drawn % 4 === 0) words = philox(key, [sample, purposes[purpose], epoch, DATA + 2 * drawn]);
    return words[drawn++ % 4]!;
  };
  return {
    word,
    between: (low, high) => low + uniform(word()) * (high - low),
    permutation(n) {
      const order = Array.from({ length: n }, (_, i) => i);
      for (let i = n - 1; i > 0; i--) {
        const other = integer(word(), i + 1);
        [order[i], order[other]] = [order[other]!, order[i]!];
      }
      return order;
    },
  };
}

/** The order of an epoch: 0 … n − 1, shuffled (Fisher & Yates). */
export function permutation(n: number, seed: number, epoch: number): Uint32Array {
  const order = Uint32Array.from({ length: n }, (_, i) => i);
  let words: Words = [0, 0, 0, 0];
  for (let i = n - 1; i > 0; i--) {
    if (i === n - 1 || i % 4 === 3) words = draw(seed, "shuffle", epoch, i >> 2);
    const other = integer(words[i % 4]!, i + 1);
    [order[i], order[other]] = [order[other]!, order[i]!];
  }
  return order;
}
