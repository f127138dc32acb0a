/** Philox 4×32-10 (Salmon et al. 2011): four random words as a pure function of key and counter. */

/** The four words for the key (key0, key1) and the counter (c0, c1, c2, 0); core/random.ts has the same in TypeScript. */
export function philox(key0: u32, key1: u32, c0: u32, c1: u32, c2: u32): v128 {
  let c3: u32 = 0;
  for (let round = 0; round < 10; round++) {
    const a = <u64> 0xD2511F53 * <u64> c0, b = <u64> 0xCD9E8D57 * <u64> c2;
    c0 = <u32> (b >> 32) ^ c1 ^ key0;
    c1 = <u32> b;
    c2 = <u32> (a >> 32) ^ c3 ^ key1;
    c3 = <u32> a;
    key0 += 0x9E3779B9;
    key1 += 0xBB67AE85;
  }
  const low = i32x4.replace_lane(i32x4.splat(c0), 1, c1);
  return i32x4.replace_lane(i32x4.replace_lane(low, 2, c2), 3, c3);
}

/** Words as numbers in [0, 1), multiples of 2⁻²⁴. */
export function uniform(words: v128): v128 {
  return f32x4.mul(f32x4.convert_i32x4_s(i32x4.shr_u(words, 8)), f32x4.splat(1.0 / 16777216));
}
