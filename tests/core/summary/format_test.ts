import assert from "node:assert/strict";
import { alignColumns } from "../../../core/summary/format.ts";

Deno.test("columns stay under each other, whatever places a name's letters take", () => {
  // "é" as one letter, and as two, as macOS writes it in files' names.
  const rows = [["class", "images"], ["犬", "1"], ["caf\u00e9", "12"], ["cafe\u0301", "123"], ["ａ🐶", "4"]];
  assert.deepEqual(alignColumns(rows, new Set([1])), [
    "class  images",
    "犬          1",
    "caf\u00e9       12",
    "cafe\u0301      123",
    "ａ🐶        4",
  ]);
});
