import assert from "node:assert/strict";
import { encodeBmp } from "../../../core/format/bmp.ts";

Deno.test("a bitmap has its rows from the bottom, blue first, each a multiple of four bytes", () => {
  const file = encodeBmp(Uint8Array.of(1, 2, 3, 4, 5, 6), 1, 2, 3);
  const view = new DataView(file.buffer);
  assert.equal(String.fromCharCode(file[0]!, file[1]!), "BM");
  assert.equal(view.getUint32(2, true), file.length);
  assert.deepEqual([view.getInt32(18, true), view.getInt32(22, true), view.getUint16(28, true)], [1, 2, 24]);
  assert.deepEqual([...file.subarray(54)], [6, 5, 4, 0, 3, 2, 1, 0]);
});

Deno.test("grey becomes three equal channels", () => {
  assert.deepEqual([...encodeBmp(Uint8Array.of(7, 9), 2, 1, 1).subarray(54)], [7, 7, 7, 9, 9, 9, 0, 0]);
});
