import assert from "node:assert/strict";

/** Asserts that no element of `actual` is further than `tolerance` from `expected`. */
export function assertClose(
  actual: ArrayLike<number> | undefined,
  expected: ArrayLike<number>,
  tolerance: number,
  what: string,
): void {
  assert.equal(actual?.length, expected.length, `${what}: number of elements`);
  for (let i = 0; i < expected.length; i++) {
    const error = Math.abs(actual![i]! - expected[i]!);
    if (!(error <= tolerance)) {
      assert.fail(
        `${what}[${i}] is ${actual![i]}, not ${expected[i]}: off by ${error}, allowed ${tolerance}`,
      );
    }
  }
}
