import assert from "node:assert/strict";
import { mapAtOnce } from "../../host/at_once.ts";

Deno.test("so many are under way at once, and results come in the items' order", async () => {
  const waiting: (() => void)[] = [];
  let [under, most] = [0, 0];
  const mapped = mapAtOnce([..."abcdefg"], 3, async (item, index) => {
    most = Math.max(most, ++under);
    await new Promise<void>((resolve) => waiting.push(resolve));
    under--;
    return `${item}${index}`;
  });
  // The last that has begun is done first.
  while (waiting.length > 0) {
    waiting.pop()!();
    await new Promise((resolve) => setTimeout(resolve, 0));
  }
  assert.deepEqual(await mapped, ["a0", "b1", "c2", "d3", "e4", "f5", "g6"]);
  assert.equal(most, 3);
  assert.deepEqual(await mapAtOnce([], 3, () => Promise.resolve(1)), []);
  await assert.rejects(mapAtOnce([1, 2], 1, () => Promise.reject(new Error("no"))), /no/);
});
