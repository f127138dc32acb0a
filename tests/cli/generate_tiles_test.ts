import assert from "node:assert/strict";
import { gemmTiles } from "../../cli/generate_tiles.ts";

Deno.test("the unrolled micro-kernels are what their generator writes", async () => {
  const written = await Deno.readTextFile(new URL("../../assembly/gemm_tiles.ts", import.meta.url));
  assert.equal(written, gemmTiles());
});
