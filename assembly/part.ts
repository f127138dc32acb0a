/** The last one to three floats of an array, where four do not fit. */

/** Up to four floats from `from`; lanes beyond `count` are 0. Reads no further than `count` floats. */
export function loadPart(from: usize, count: i32): v128 {
  if (count >= 4) return v128.load(from);
  if (count == 1) return v128.load_zero<u32>(from);
  const two = v128.load_zero<u64>(from);
  return count == 2 ? two : v128.load_lane<u32>(from, two, 2, 8);
}

/** Stores the first `count` lanes, at most four, and touches nothing after them. */
export function storePart(to: usize, lanes: v128, count: i32): void {
  if (count >= 4) {
    v128.store(to, lanes);
  } else if (count == 1) {
    v128.store_lane<u32>(to, lanes, 0);
  } else {
    v128.store_lane<u64>(to, lanes, 0);
    if (count == 3) v128.store_lane<u32>(to, lanes, 2, 8);
  }
}

/** The sum of the four lanes. */
export function sumLanes(lanes: v128): f64 {
  return (<f64> f32x4.extract_lane(lanes, 0) + <f64> f32x4.extract_lane(lanes, 1)) +
    (<f64> f32x4.extract_lane(lanes, 2) + <f64> f32x4.extract_lane(lanes, 3));
}
