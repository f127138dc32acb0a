import assert from "node:assert/strict";

/** The greatest difference allowed: a number, or `absolute + relative · |expected|`. */
export type Tolerance = number | { readonly absolute?: number; readonly relative?: number };

/** Asserts that no element of `actual` is too far from `expected`. NaN and infinities must be the same. */
export function assertClose(
  actual: ArrayLike<number> | undefined,
  expected: ArrayLike<number>,
  tolerance: Tolerance,
  what = "result",
): void {
  const { absolute = 0, relative = 0 } = typeof tolerance === "number" ? { absolute: tolerance } : tolerance;
  assert.equal(actual?.length, expected.length, `${what}: number of elements`);
  for (let i = 0; i < expected.length; i++) {
    const found: number = actual![i]!, wanted: number = expected[i]!;
    if (Object.is(found, wanted)) continue;
    const error = Math.abs(found - wanted), allowed = absolute + relative * Math.abs(wanted);
    if (!(error <= allowed && Number.isFinite(wanted))) {
      assert.fail(`${what}[${i}] is ${found}, not ${wanted}: off by ${error}, allowed ${allowed}`);
    }
  }
}
