import assert from "node:assert/strict";
import { createWasmBackend } from "../../../core/backend/wasm/backend.ts";
import type { Image } from "../../../core/data/transforms/image.ts";
import * as nn from "../../../core/nn/mod.ts";
import { Counter } from "../../../core/nn/module.ts";
import { overlay } from "../../../core/predict/overlay.ts";
import { createPredictor } from "../../../core/predict/predictor.ts";
import { sizeOf } from "../../../core/shape.ts";
import { assertClose } from "../../support/close.ts";

interface Expected {
  /** [image, class] */
  readonly probabilities: number[][];
  /** [class, image, pixel] */
  readonly maps: number[][][];
}

const file = new URL("../../fixtures/grad_cam/expected.json", import.meta.url);
const SIZE = 6;

/** The network of make.py. */
const network = () =>
  new nn.Sequential(
    new nn.Conv2d(3, 4, 3, { padding: 1 }),
    new nn.BatchNorm2d(4),
    new nn.ReLU(),
    new nn.MaxPool2d(2),
    new nn.Flatten(),
    new nn.Linear(36, 5),
    new nn.ReLU(),
    new nn.Linear(5, 3),
  );

/** Image `index` of make.py's batch. */
function picture(index: number): Image {
  const count = SIZE * SIZE * 3;
  const data = Uint8Array.from({ length: count }, (_, k) => {
    const i = index * count + k;
    return (37 * i * i + 11 * i) % 256;
  });
  return { width: SIZE, height: SIZE, channels: 3, data };
}

Deno.test("predict: probabilities, and Grad-CAM of every class, as PyTorch computes them in float64", async () => {
  const expected: Expected = JSON.parse(await Deno.readTextFile(file));
  const backend = await createWasmBackend({ threads: 2 });
  try {
    const model = network();
    const images = {
      batch: 3,
      height: SIZE,
      width: SIZE,
      channels: 3,
      mean: [0.5, 0.5, 0.5],
      std: [0.25, 0.25, 0.25],
    };
    const predictor = createPredictor({ backend, model, images, explain: true });
    const floats = [...nn.stateDict(model)].filter(([, item]) => !(item instanceof Counter));
    floats.forEach(([name, { shape }], k) => {
      const values = Array.from({ length: sizeOf(shape) }, (_, i) => 0.5 * Math.sin(i + 10 * k));
      const isVariance = name.endsWith("running_var");
      predictor.session.writeState(name, values.map((value) => isVariance ? Math.abs(value) + 0.1 : value));
    });
    const shown = [picture(0), picture(1)];
    const probabilities = await predictor.predict(shown);
    assert.equal(probabilities.length, 2);
    probabilities.forEach((row, i) => assertClose(row, expected.probabilities[i]!, 1e-6, `image ${i}`));
    for (const [wanted, maps] of expected.maps.entries()) {
      const found = await predictor.explain(shown, [wanted, wanted]);
      found.forEach(({ height, width, values }, i) => {
        assert.deepEqual([height, width], [SIZE, SIZE]);
        assertClose(values, maps[i]!, 1e-5, `class ${wanted}, image ${i}`);
      });
    }
    // Each image may be asked about a class of its own.
    const [first, second] = await predictor.explain(shown, [2, 0]);
    assertClose(first!.values, expected.maps[2]![0]!, 1e-5);
    assertClose(second!.values, expected.maps[0]![1]!, 1e-5);
    await assert.rejects(
      () =>
        Promise.resolve().then(() => createPredictor({ backend, model: new Flat(), images, explain: true })),
      /--explain: the network has no feature map/,
    );
  } finally {
    backend.close();
  }
});

class Flat extends nn.Module {
  fc = new nn.Linear(3 * SIZE * SIZE, 2);
  forward(x: nn.Tensor): nn.Tensor {
    return this.fc.forward(nn.flatten(x));
  }
}

Deno.test("predict: an overlay is blue where nothing was found and red where most was", () => {
  const grey = { width: 4, height: 2, channels: 1, data: new Uint8Array(8).fill(100) };
  const { width, height, channels, data } = overlay(grey, {
    height: 1,
    width: 2,
    values: Float32Array.of(0, 1),
  });
  assert.deepEqual([width, height, channels], [4, 2, 3]);
  assert.deepEqual([...data.subarray(0, 3)], [50, 50, Math.round((100 + 127.5) / 2)]);
  assert.deepEqual([...data.subarray(9, 12)], [Math.round((100 + 127.5) / 2), 50, 50]);
});
