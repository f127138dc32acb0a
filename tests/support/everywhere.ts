/** Runs of one op that must agree to the bit. */
import assert from "node:assert/strict";
import type { NumberArray } from "../../core/backend/backend.ts";
import type { AttrsOf, OpName } from "../../core/ops/mod.ts";
import { type Given, runOp } from "./run_op.ts";

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

/** Index of the first byte that differs, −1 if none does. By hand, since deepEqual is slow on large arrays. */
function firstDifference(a: Uint8Array, b: Uint8Array): number {
  for (let i = 0; i < Math.max(a.length, b.length); i++) if (a[i] !== b[i]) return i;
  return -1;
}

function bitsOf(array: NumberArray): Uint8Array {
  return new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
}
