import assert from "node:assert/strict";
import { within } from "../../core/within.ts";

Deno.test("what takes longer is not waited for; what fails in time fails", async () => {
  const order: string[] = [];
  await within(1e6, Promise.resolve().then(() => order.push("done")));
  await within(5, new Promise(() => {}));
  assert.deepEqual(order, ["done"]);
  await assert.rejects(within(1e6, Promise.reject(new Error("no"))), /no/);
});
