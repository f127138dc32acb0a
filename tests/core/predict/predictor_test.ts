/** What is asked of a predictor must fit into its batch. */
import assert from "node:assert/strict";
import { createWasmBackend } from "../../../core/backend/wasm/backend.ts";
import { blankImage } from "../../../core/data/transforms/image.ts";
import * as nn from "../../../core/nn/mod.ts";
import { createPredictor } from "../../../core/predict/predictor.ts";

Deno.test("a predictor refuses more images than a batch, and images of another size", async () => {
  const backend = await createWasmBackend({ threads: 1, tile: 8 });
  try {
    const model = new nn.Sequential(new nn.Flatten(), new nn.Linear(4 * 5 * 3, 2));
    const images = { batch: 2, channels: 3, height: 4, width: 5, mean: [0, 0, 0], std: [1, 1, 1] };
    const predictor = createPredictor({ backend, model, images });
    const fitting = blankImage(5, 4, 3);
    assert.equal((await predictor.predict([fitting, fitting])).length, 2);
    await assert.rejects(
      predictor.predict([fitting, fitting, fitting]),
      /^RangeError: 3 images, at most 2 at once$/,
    );
    await assert.rejects(
      predictor.predict([fitting, blankImage(4, 5, 3)]),
      /^RangeError: image 1 is \[5, 4, 3\], the network takes \[4, 5, 3\]$/,
    );
    await assert.rejects(predictor.predict([blankImage(5, 4, 1)]), /^RangeError: image 0 is \[4, 5, 1\]/);
  } finally {
    backend.close();
  }
});
