/** Numbers for tests: the same for the same seed. */

/** A generator of 32-bit integers (mulberry32). */
function generator(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = state + 0x6d2b79f5 >>> 0;
    let z = Math.imul(state ^ state >>> 15, state | 1);
    z ^= z + Math.imul(z ^ z >>> 7, z | 61);
    return (z ^ z >>> 14) >>> 0;
  };
}

/** `count` f32 numbers, uniform from `low` to `high`. */
export function uniform(seed: number, count: number, low = -1, high = 1): Float32Array {
  const next = generator(seed);
  return Float32Array.from({ length: count }, () => low + (high - low) * next() / 2 ** 32);
}

/** `count` whole numbers from `low` to `high`, as f32: many of them equal. */
export function whole(seed: number, count: number, low: number, high: number): Float32Array {
  const next = generator(seed);
  return Float32Array.from({ length: count }, () => low + next() % (high - low + 1));
}
