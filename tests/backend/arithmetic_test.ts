import assert from "node:assert/strict";
import { onBackends } from "../support/on_backends.ts";

onBackends("add, multiply and scale agree with plain arithmetic at every remainder", async (on) => {
  for (const count of [1, 2, 3, 4, 5, 6, 7, 8, 9, 16385, 40000]) {
    const a = Float32Array.from({ length: count }, (_, i) => Math.sin(i));
    const b = Float32Array.from({ length: count }, (_, i) => Math.cos(3 * i));
    const shape = [count];
    const [sum] = await on.run("add", [{ shape, data: a }, { shape, data: b }], {});
    assert.deepEqual(sum, a.map((x, i) => x + b[i]!));
    const [product] = await on.run("multiply", [{ shape, data: a }, { shape, data: b }], {});
    assert.deepEqual(product, a.map((x, i) => x * b[i]!));
    const [scaled] = await on.run("scale", [{ shape, data: a }], { factor: 0.5 });
    assert.deepEqual(scaled, a.map((x) => x * 0.5));
    const [filled] = await on.run("fill", [], { shape, value: 3 });
    assert.deepEqual(filled, new Float32Array(count).fill(3));
  }
});
