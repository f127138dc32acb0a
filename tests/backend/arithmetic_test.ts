import assert from "node:assert/strict";
import { runOp } from "../support/run_op.ts";

const pooled = { sanitizeOps: false, sanitizeResources: false };

Deno.test("add, multiply and scale agree with plain arithmetic at every remainder", pooled, async () => {
  for (const count of [1, 2, 3, 4, 5, 6, 7, 8, 9, 16385, 40000]) {
    const a = Float32Array.from({ length: count }, (_, i) => Math.sin(i));
    const b = Float32Array.from({ length: count }, (_, i) => Math.cos(3 * i));
    const shape = [count];
    for (const threads of [1, 2, 3]) {
      const options = { threads, guard: true };
      const [sum] = await runOp("add", [{ shape, data: a }, { shape, data: b }], {}, options);
      assert.deepEqual(sum, a.map((x, i) => x + b[i]!));
      const [product] = await runOp("multiply", [{ shape, data: a }, { shape, data: b }], {}, options);
      assert.deepEqual(product, a.map((x, i) => x * b[i]!));
      const [scaled] = await runOp("scale", [{ shape, data: a }], { factor: 0.5 }, options);
      assert.deepEqual(scaled, a.map((x) => x * 0.5));
      const [filled] = await runOp("fill", [], { shape, value: 3 }, options);
      assert.deepEqual(filled, new Float32Array(count).fill(3));
    }
  }
});
