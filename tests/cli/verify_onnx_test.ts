/** Exported files in ONNX Runtime, where its package is at hand. */
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { verifyOnnx } from "../../cli/verify_onnx.ts";
import { printed } from "../support/printed.ts";

const installed = existsSync(new URL("../../.peers/node_modules/onnxruntime-node", import.meta.url));

Deno.test({
  name: "verify:onnx: a file runs with batches of 1 and 3, plain, and folded and normalising" +
    (installed ? "" : " (left out: onnxruntime-node is not in .peers)"),
  ignore: !installed,
  sanitizeOps: false,
  sanitizeResources: false,
  async fn() {
    const { code, out, err } = await printed(verifyOnnx, "--only", "resnet20", "--json");
    assert.equal(code, 0, err);
    const { tolerance, results: [{ name, input, errors }] } = JSON.parse(out);
    assert.deepEqual([name, input], ["resnet20", [3, 32, 32]]);
    assert.deepEqual(Object.keys(errors), ["plain", "folded"]);
    for (const error of Object.values<number>(errors)) assert.ok(error > 0 && error <= tolerance, out);
  },
});
