/** What tests of ops share: reproducible numbers, runs that must agree to the bit, and comparison with a reference. */
import assert from "node:assert/strict";
import type { NumberArray } from "../../core/backend/backend.ts";
import type { AttrsOf, OpName } from "../../core/ops/mod.ts";
import { type Given, runOp } from "./run_op.ts";

/** `count` floats in ±scale, the same for the same seed. */
export function numbers(count: number, seed: number, scale = 1): Float32Array {
  let state = (seed * 2654435761 + 12345) >>> 0;
  return Float32Array.from({ length: count }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return (state / 2 ** 31 - 1) * scale;
  });
}

/** Runs the op with 1, 2 and 3 threads between guard bands: the results must be the same bits. */
export async function runEverywhere<K extends OpName>(
  op: K,
  inputs: readonly Given[],
  attrs: AttrsOf<K>,
): Promise<NumberArray[]> {
  const results = await runOp(op, inputs, attrs, { threads: 1, guard: true });
  for (const threads of [2, 3]) {
    const others = await runOp(op, inputs, attrs, { threads, guard: true });
    others.forEach((other, i) => {
      const place = firstDifference(bitsOf(other), bitsOf(results[i]!));
      assert.equal(
        place,
        -1,
        `${op}: with ${threads} threads byte ${place} of result ${i} is not one thread's`,
      );
    });
  }
  return results;
}

/** Each number within `absolute + relative · |expected|`. NaN and infinities must be the same. */
export function assertClose(
  actual: ArrayLike<number> | undefined,
  expected: ArrayLike<number>,
  { absolute = 0, relative = 0 }: { absolute?: number; relative?: number },
  what = "result",
): void {
  assert.ok(actual, `${what} is missing`);
  assert.equal(actual.length, expected.length, `${what} has another size`);
  for (let i = 0; i < expected.length; i++) {
    const a: number = actual[i]!, e: number = expected[i]!;
    const close = Number.isFinite(e) ? Math.abs(a - e) <= absolute + relative * Math.abs(e) : Object.is(a, e);
    if (!close) assert.fail(`${what}[${i}] is ${a}, not ${e}`);
  }
}

/** Index of the first byte that differs, −1 if none does. By hand, since deepEqual is slow on large arrays. */
function firstDifference(a: Uint8Array, b: Uint8Array): number {
  for (let i = 0; i < Math.max(a.length, b.length); i++) if (a[i] !== b[i]) return i;
  return -1;
}

function bitsOf(array: NumberArray): Uint8Array {
  return new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
}
