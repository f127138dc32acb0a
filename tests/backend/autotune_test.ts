import assert from "node:assert/strict";
import { autotune } from "../../core/backend/autotune.ts";
import { createWasmBackend } from "../../core/backend/wasm/backend.ts";
import { choiceOf, METHODS } from "../../core/backend/wasm/lower/method.ts";
import { trainGraph } from "../../core/train/graphs.ts";
import { TinyNet } from "../support/tiny.ts";
import { classification } from "../../core/train/classification.ts";

const images = { batch: 2, channels: 3, height: 8, width: 8, mean: [0, 0, 0], std: [1, 1, 1] };

Deno.test("autotune names a method for each convolution that has a choice, and measures none twice", async () => {
  const train = trainGraph(new TinyNet(), { images, optimizer: { name: "sgd" }, task: classification() });
  const known = new Map<string, string>();
  const backend = await createWasmBackend({ threads: 2, method: choiceOf(known) });
  try {
    await autotune(backend, { train }, known);
    // The first convolution has 3 channels and a stride: it has no choice.
    const shape = "2x8x4x4 8x8x3x3 padding 1,1,1,1";
    assert.deepEqual([...known.keys()].sort(), ["forward", "input", "weight"].map((d) => `${d} ${shape}`));
    assert.ok([...known.values()].every((method) => METHODS.some((one) => one === method)));
    const asked: number[] = [];
    await autotune(backend, { train }, known, (_done, of) => asked.push(of));
    assert.deepEqual(asked, [0]);
  } finally {
    backend.close();
  }
});
