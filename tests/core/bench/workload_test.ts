import assert from "node:assert/strict";
import { createWasmBackend } from "../../../core/backend/wasm/backend.ts";
import { prepareWorkload } from "../../../core/bench/workload.ts";
import { models } from "../../../models/registry.ts";

Deno.test("a detector's step is that of its own loss, on boxes", async () => {
  const model = models.yolov1_squeezenet!.create({ num_classes: 3, input_size: [64, 64] });
  const backend = await createWasmBackend({ threads: 2 });
  try {
    const optimizer = { name: "sgd", momentum: 0.9 } as const;
    const workload = await prepareWorkload(backend, model, {
      mode: "train",
      batch: 2,
      input: [3, 64, 64],
      optimizer,
    });
    const { session, graph, take } = workload;
    assert.ok(graph.nodes.some(({ op }) => op === "yolo_loss"));
    const [loss] = await take(2);
    const parts = await session.read("train", "parts");
    assert.ok(
      parts.every((part) => Number.isFinite(part) && part > 0),
      "something is there, and something is not",
    );
    const sum = [...parts].reduce((a, b) => a + b);
    assert.ok(Math.abs(loss! - sum) <= 1e-5 * sum, `${loss} is the last step's`);
  } finally {
    backend.close();
  }
});
