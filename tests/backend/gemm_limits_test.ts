import assert from "node:assert/strict";
import { DEPTH, EDGE_BYTES, PITCH, TILE_ROWS } from "../../core/backend/wasm/lower/gemm.ts";

Deno.test("the lowering sizes tasks and scratch by the limits that the kernels were built with", async () => {
  const module = await WebAssembly.compile(
    await Deno.readFile(new URL("../../core/backend/wasm/kernels.wasm", import.meta.url)),
  );
  const memory = new WebAssembly.Memory({ initial: 1, maximum: 65536, shared: true });
  const { exports } = await WebAssembly.instantiate(module, { env: { memory } });
  for (const [name, value] of Object.entries({ DEPTH, EDGE_BYTES, PITCH, TILE_ROWS })) {
    assert.equal((exports[name] as WebAssembly.Global).value, value, name);
  }
});
