import assert from "node:assert/strict";
import { UserError } from "../../../core/errors.ts";
import { darknetParts } from "../../../core/format/darknet.ts";
import { parseStateDict } from "../../../core/format/read_state_dict.ts";
import { darknetOrder } from "../../../core/nn/darknet_order.ts";
import { matchStateDict } from "../../../core/nn/match_state_dict.ts";
import * as nn from "../../../core/nn/mod.ts";
import { sizeOf } from "../../../core/shape.ts";
import { darknet53 } from "../../../models/darknet53.ts";

const small = () =>
  new nn.Sequential({
    conv1: new nn.Conv2d(1, 2, 1, { bias: false }),
    bn1: new nn.BatchNorm2d(2),
    flatten: new nn.Flatten(),
    fc: new nn.Linear(2, 3),
  });

/** Numbers from 0, behind a header of the given version. */
function fileOf(count: number, [major, minor, revision]: readonly number[], seenBytes: number): Uint8Array {
  const bytes = new Uint8Array(12 + seenBytes + 4 * count);
  const view = new DataView(bytes.buffer);
  [major, minor, revision].forEach((number, i) => view.setInt32(4 * i, number!, true));
  for (let i = 0; i < count; i++) view.setFloat32(12 + seenBytes + 4 * i, i, true);
  return bytes;
}

Deno.test("darknet: a layer's norm comes before its weight, and its bias, too", async () => {
  for (const [version, seenBytes] of [[[0, 1, 0], 4], [[0, 2, 0], 8], [[0, 2, 5], 8]] as const) {
    const dict = await parseStateDict(fileOf(19, version, seenBytes), "w.weights");
    const { tensors } = matchStateDict(small(), dict);
    assert.deepEqual(Object.fromEntries([...tensors].map(([name, data]) => [name, [...data]])), {
      "bn1.bias": [0, 1],
      "bn1.weight": [2, 3],
      "bn1.running_mean": [4, 5],
      "bn1.running_var": [6, 7],
      "conv1.weight": [8, 9],
      "fc.bias": [10, 11, 12],
      "fc.weight": [13, 14, 15, 16, 17, 18],
    });
  }
});

Deno.test("darknet: a file that is cut within a number says so", async () => {
  await assert.rejects(parseStateDict(fileOf(19, [0, 2, 0], 8).subarray(0, -3), "w.weights"), {
    name: "UserError",
    message: "w.weights: a file of Darknet's whose last number has 1 of 4 bytes; it is truncated",
  });
});

Deno.test("darknet: too few numbers and too many are told, and --partial takes the layers that are there", async () => {
  const short = await parseStateDict(fileOf(10, [0, 2, 0], 8), "w.weights");
  assert.throws(
    () => matchStateDict(small(), short),
    /5 of the network's 7 tensors fit[^]*fc\.bias \[3\] +\| -/,
  );
  assert.deepEqual(matchStateDict(small(), short, { partial: true }).left, ["fc.weight", "fc.bias"]);
  const long = await parseStateDict(fileOf(22, [0, 2, 0], 8), "w.weights");
  assert.throws(() => matchStateDict(small(), long), /left over F32 \[3\]/);
});

Deno.test("darknet: Darknet-53 has as many numbers before its head as the published darknet53.conv.74", () => {
  const body = darknetOrder(darknet53()).filter(([name]) => !name.startsWith("fc."));
  assert.equal(20 + 4 * body.reduce((sum, [, shape]) => sum + sizeOf(shape), 0), 162_482_580);
  assert.deepEqual(body.slice(0, 5).map(([name]) => name), [
    "conv1.1.bias",
    "conv1.1.weight",
    "conv1.1.running_mean",
    "conv1.1.running_var",
    "conv1.0.weight",
  ]);
});

Deno.test("darknet: what is written is read back", async () => {
  const order = darknetOrder(small());
  const weights = new Map(order.map(([name, shape], i) => [name, new Float32Array(sizeOf(shape)).fill(i)]));
  const parts = darknetParts(weights.values());
  const bytes = new Uint8Array(await new Blob(parts as BlobPart[]).arrayBuffer());
  const { tensors } = matchStateDict(small(), await parseStateDict(bytes, "w.weights"));
  assert.deepEqual(new Map([...tensors].sort()), new Map([...weights].sort()));
});

Deno.test("darknet: a file without numbers, or with a piece of one, has its line", async () => {
  await assert.rejects(parseStateDict(fileOf(0, [0, 2, 0], 8), "w.weights"), UserError);
  await assert.rejects(parseStateDict(fileOf(3, [0, 2, 0], 8).subarray(0, 25), "w.weights"), UserError);
});
