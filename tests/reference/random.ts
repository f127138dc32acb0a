/** Philox 4×32-10 as its paper writes it, in big integers. */

const WORD = (1n << 32n) - 1n;

export function philox(key: readonly number[], counter: readonly number[]): number[] {
  let [k0, k1] = key.map(BigInt) as [bigint, bigint];
  let [c0, c1, c2, c3] = counter.map(BigInt) as [bigint, bigint, bigint, bigint];
  for (let round = 0; round < 10; round++) {
    const a = 0xd2511f53n * c0, b = 0xcd9e8d57n * c2;
    [c0, c1, c2, c3] = [(b >> 32n) ^ c1 ^ k0, b & WORD, (a >> 32n) ^ c3 ^ k1, a & WORD];
    k0 = (k0 + 0x9e3779b9n) & WORD;
    k1 = (k1 + 0xbb67ae85n) & WORD;
  }
  return [c0, c1, c2, c3].map(Number);
}

/** The numbers of elements 0 … count − 1 of a stream, in [0, 1). */
export function uniforms(count: number, rng: readonly number[], stream: number): number[] {
  const [low = 0, high = 0, step = 0] = rng;
  return Array.from({ length: count }, (_, i) => {
    const words = philox([low >>> 0, high >>> 0], [i >> 2, stream, step, 0]);
    return (words[i % 4]! >>> 8) / 2 ** 24;
  });
}
