import assert from "node:assert/strict";
import { createPool } from "../../core/backend/wasm/pool.ts";

const kernels = await Deno.readFile(new URL("../../core/backend/wasm/kernels.wasm", import.meta.url));

Deno.test("a kernel that traps ends its run and all later ones", async () => {
  const pool = await createPool(await WebAssembly.compile(kernels), 2);
  const program = pool.allocate(64)!;
  const noKernel = 1 << 20;
  new Int32Array(pool.memory.buffer).set([noKernel, program], program / 4);
  await pool.run(program, 0);
  await assert.rejects(pool.run(program, 1), /^Error: a kernel stopped in worker [01]: RuntimeError/);
  await assert.rejects(pool.run(program, 0), /a kernel stopped in worker/);
  pool.close();
});
