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

/** What `philox4` makes: the four words of each of its counters. */
export let words0: v128 = i32x4.splat(0);
export let words1: v128 = i32x4.splat(0);
export let words2: v128 = i32x4.splat(0);
export let words3: v128 = i32x4.splat(0);

/** High halves of the products low (lanes 0, 1) and high (lanes 2, 3). */
function highHalves(low: v128, high: v128): v128 {
  return v128.shuffle<u32>(low, high, 1, 3, 5, 7);
}

/** The words for the counters c0 … c0 + 3 at once, into `words0` … `words3`. */
export function philox4(key0: u32, key1: u32, c0: u32, c1: u32, c2: u32): void {
  const factorA = i32x4.splat(0xD2511F53), factorB = i32x4.splat(0xCD9E8D57);
  let x0 = i32x4.add(i32x4.splat(c0), i32x4(0, 1, 2, 3)), x1 = i32x4.splat(c1);
  let x2 = i32x4.splat(c2), x3 = i32x4.splat(0);
  for (let round = 0; round < 10; round++) {
    const highA = highHalves(i64x2.extmul_low_i32x4_u(x0, factorA), i64x2.extmul_high_i32x4_u(x0, factorA));
    const highB = highHalves(i64x2.extmul_low_i32x4_u(x2, factorB), i64x2.extmul_high_i32x4_u(x2, factorB));
    const lowA = i32x4.mul(x0, factorA), lowB = i32x4.mul(x2, factorB);
    x0 = v128.xor(v128.xor(highB, x1), i32x4.splat(key0));
    x1 = lowB;
    x2 = v128.xor(v128.xor(highA, x3), i32x4.splat(key1));
    x3 = lowA;
    key0 += 0x9E3779B9;
    key1 += 0xBB67AE85;
  }
  // From word after word to counter after counter.
  const left = v128.shuffle<u32>(x0, x1, 0, 4, 1, 5), left2 = v128.shuffle<u32>(x0, x1, 2, 6, 3, 7);
  const right = v128.shuffle<u32>(x2, x3, 0, 4, 1, 5), right2 = v128.shuffle<u32>(x2, x3, 2, 6, 3, 7);
  words0 = v128.shuffle<u64>(left, right, 0, 2);
  words1 = v128.shuffle<u64>(left, right, 1, 3);
  words2 = v128.shuffle<u64>(left2, right2, 0, 2);
  words3 = v128.shuffle<u64>(left2, right2, 1, 3);
}

/** Words as numbers in [0, 1), multiples of 2⁻²⁴. */
export function uniform(words: v128): v128 {
  return f32x4.mul(f32x4.convert_i32x4_s(i32x4.shr_u(words, 8)), f32x4.splat(1.0 / 16777216));
}
