import assert from "node:assert/strict";

Deno.test("the micro-kernel's speed can be measured without touching more than its scratch", async () => {
  const module = await WebAssembly.compile(
    await Deno.readFile(new URL("../../core/backend/wasm/kernels.wasm", import.meta.url)),
  );
  const memory = new WebAssembly.Memory({ initial: 4, maximum: 65536, shared: true });
  const { gemmPeak, unpairedPeak } = (await WebAssembly.instantiate(module, { env: { memory } })).exports;
  const scratch = 65536, scratchBytes = 32768, args = 200000;
  const bytes = new Uint8Array(memory.buffer), words = new Int32Array(memory.buffer);
  for (const [kernel, tile] of [[gemmPeak, 8], [gemmPeak, 16], [unpairedPeak, 8]] as const) {
    for (const [thread, threads, touched] of [[0, 1, 1], [1, 2, 1], [1, 1, 0]] as const) {
      bytes.fill(0xa5, scratch - 1024, args);
      words.set([0, scratch, 3, tile, threads], args / 4);
      (kernel as (args: number, thread: number) => void)(args, thread);
      const own = scratch + thread * scratchBytes;
      assert.ok(bytes.subarray(scratch - 1024, own).every((byte) => byte === 0xa5));
      assert.ok(bytes.subarray(own + touched * scratchBytes, args).every((byte) => byte === 0xa5));
    }
  }
});
