/** Small pieces of vector code that kernels share. Counts are in floats. */

/**
 * Copies `count` floats between places that do not overlap. The runs are often too short for a call of memory.copy to
 * pay; the last piece overlaps the one before it rather than ending in single floats.
 */
export function copyFloats(to: usize, from: usize, count: i32): void {
  const bytes = <usize> count << 2;
  if (bytes >= 16) {
    const last = bytes - 16;
    let at: usize = 0;
    for (; at + 16 <= last; at += 32) {
      const head = v128.load(from + at), tail = v128.load(from + at, 16);
      v128.store(to + at, head);
      v128.store(to + at, tail, 16);
    }
    if (at < last) v128.store(to + at, v128.load(from + at));
    v128.store(to + last, v128.load(from + last));
  } else {
    for (let at: usize = 0; at < bytes; at += 4) store<f32>(to + at, load<f32>(from + at));
  }
}

/** Sets `count` floats to zero. */
export function zeroFloats(to: usize, count: i32): void {
  const end = to + (<usize> count << 2), zero = f32x4.splat(0);
  for (; to + 16 <= end; to += 16) v128.store(to, zero);
  for (; to < end; to += 4) store<f32>(to, 0);
}

/**
 * Four rows of `count` floats become `count` (a multiple of 4) rows of four, by squares of 4 × 4; the pitches are in bytes
 * from row to row.
 */
export function transpose4(to: usize, toPitch: usize, from: usize, fromPitch: usize, count: i32): void {
  const from1 = from + fromPitch, from2 = from1 + fromPitch, from3 = from2 + fromPitch;
  for (let at: usize = 0, end = <usize> count << 2; at < end; at += 16) {
    const a = v128.load(from + at), b = v128.load(from1 + at);
    const c = v128.load(from2 + at), d = v128.load(from3 + at);
    const ab = v128.shuffle<f32>(a, b, 0, 4, 1, 5), ab2 = v128.shuffle<f32>(a, b, 2, 6, 3, 7);
    const cd = v128.shuffle<f32>(c, d, 0, 4, 1, 5), cd2 = v128.shuffle<f32>(c, d, 2, 6, 3, 7);
    v128.store(to, v128.shuffle<f32>(ab, cd, 0, 1, 4, 5));
    to += toPitch;
    v128.store(to, v128.shuffle<f32>(ab, cd, 2, 3, 6, 7));
    to += toPitch;
    v128.store(to, v128.shuffle<f32>(ab2, cd2, 0, 1, 4, 5));
    to += toPitch;
    v128.store(to, v128.shuffle<f32>(ab2, cd2, 2, 3, 6, 7));
    to += toPitch;
  }
}

/** to += from, `count` floats. */
export function addFloats(to: usize, from: usize, count: i32): void {
  const end = to + (<usize> count << 2);
  for (; to + 16 <= end; to += 16, from += 16) v128.store(to, f32x4.add(v128.load(to), v128.load(from)));
  for (; to < end; to += 4, from += 4) store<f32>(to, load<f32>(to) + load<f32>(from));
}
