import assert from "node:assert/strict";
import { once } from "../../core/once.ts";

Deno.test("made once, also where two ask at the same time; what failed is tried again", async () => {
  let calls = 0;
  const get = once(async () => {
    calls++;
    await Promise.resolve();
    if (calls === 1) throw new Error("no");
    return calls;
  });
  const [a, b] = await Promise.allSettled([get(), get()]);
  assert.deepEqual([a.status, b.status, calls], ["rejected", "rejected", 1]);
  assert.deepEqual(await Promise.all([get(), get()]), [2, 2]);
  assert.equal(await get(), 2);
});
