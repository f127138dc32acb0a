import assert from "node:assert/strict";
import { StateDict } from "../../../core/format/state_dict.ts";
import { matchStateDict } from "../../../core/nn/match_state_dict.ts";
import * as nn from "../../../core/nn/mod.ts";
import { createClassifier } from "../../../core/predict/classifier.ts";
import { gradCam, overlay } from "../../../core/predict/grad_cam.ts";
import { camGraph } from "../../../core/predict/graphs.ts";
import { models } from "../../../models/registry.ts";
import { backendFor } from "../../support/run_op.ts";

const pooled = { sanitizeOps: false, sanitizeResources: false };
const normalize = { mean: [0, 0, 0], std: [1, 1, 1] };

Deno.test("a channel counts by the mean of its gradient; what speaks against the class is left out", () => {
  const features = Float32Array.of(1, 2, 3, 4, /**/ 4, 0, 0, 0);
  const gradient = Float32Array.of(1, 1, 1, 1, /**/ -2, 0, 0, 0);
  // Weights 1 and −½.
  assert.deepEqual([...gradCam(features, gradient, 4)], [0, 0.5, 0.75, 1]);
  assert.deepEqual([...gradCam(features, gradient.map((value) => -value), 4)], [1, 0, 0, 0]);
});

Deno.test("an overlay has the image's size, blue where nothing speaks for the class and red where most does", () => {
  const image = { width: 4, height: 2, channels: 1, data: new Uint8Array(8).fill(128) };
  const { data, channels } = overlay(image, { height: 1, width: 2, map: Float32Array.of(0, 1) });
  assert.equal(channels, 3);
  const [first, last] = [data.subarray(0, 3), data.subarray(9, 12)];
  assert.ok(first[2]! > first[0]! && last[0]! > last[2]!, `${first} ${last}`);
});

/** Scores class 1 by the brightness of the left half's red, which only the first channel carries. */
class Net extends nn.Module {
  conv = new nn.Conv2d(3, 2, 1, { bias: false });
  fc = new nn.Linear(2, 2, { bias: false });
  forward(x: nn.Tensor): nn.Tensor {
    return this.fc.forward(nn.flatten(nn.adaptiveAvgPool2d(nn.relu(this.conv.forward(x)), 1)));
  }
}

Deno.test("the evidence lies where the class is, for each image of a batch", pooled, async () => {
  const model = new Net();
  const weights = new StateDict("test", [
    ["conv.weight", { shape: [2, 3, 1, 1], dtype: "F32", data: Float32Array.of(1, 0, 0, 0, 0, 1) }],
    ["fc.weight", { shape: [2, 2], dtype: "F32", data: Float32Array.of(0, 8, 8, 0) }],
  ]);
  const images = { batch: 2, height: 2, width: 2, channels: 3, ...normalize };
  const backend = await backendFor({ threads: 1 });
  const { probabilities, explain, classes } = createClassifier(
    backend,
    model,
    images,
    matchStateDict(model, weights),
  );
  assert.equal(classes, 2);
  const pixels = new Uint8Array(2 * 12);
  pixels[0] = 255; // red, top left, first image
  pixels[12 + 9 + 2] = 255; // blue, bottom right, second image
  const [first, second] = await probabilities(pixels);
  assert.ok(Math.abs(first![1]! - 1 / (1 + Math.exp(-2))) < 1e-6, `${first}`);
  assert.ok(second![0]! > 0.8);
  const [red, blue] = await explain!(pixels, [1, 0]);
  assert.deepEqual([...red!.map], [1, 0, 0, 0]);
  assert.deepEqual([...blue!.map], [0, 0, 0, 1]);
});

Deno.test("every classifier of the registry has a feature map to explain it by", () => {
  for (const [name, { create, input: [channels, height, width], outputs }] of Object.entries(models)) {
    if (outputs !== undefined) continue; // A detector.
    const images = {
      batch: 1,
      height,
      width,
      channels,
      mean: Array(channels).fill(0),
      std: Array(channels).fill(1),
    };
    const [, depth, h, w] = camGraph(create(), images)!.outputs.get("features")!.shape;
    assert.ok(depth! >= 10 && h! > 1 && w! > 1 && h! <= height / 2, `${name}: ${depth} ${h} ${w}`);
  }
});
