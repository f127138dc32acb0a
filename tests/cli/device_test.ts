/** `--device`, and `deno task devices`. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { createBackend } from "../../cli/backend.ts";
import { benchModel } from "../../cli/bench_model.ts";
import { devices } from "../../cli/devices.ts";
import { evaluate } from "../../cli/evaluate.ts";
import { train } from "../../cli/train.ts";
import { verify } from "../../cli/verify.ts";
import { findAdapter, isSoftware, nameOf } from "../../core/backend/webgpu/device.ts";
import { onWebgpu } from "../support/on_backends.ts";
import { printed } from "../support/printed.ts";
import { withFolder } from "../support/temp_folder.ts";

const pooled = { sanitizeOps: false, sanitizeResources: false };
const adapter = await findAdapter();

/** Small enough for any adapter. */
const NET = `
import * as nn from "${new URL("../../core/nn/mod.ts", import.meta.url).pathname}";
export const input = [3, 32, 32];
export default ({ num_classes = 10 } = {}) => new nn.Sequential(
  new nn.AdaptiveAvgPool2d(4), new nn.Flatten(), new nn.Linear(48, num_classes),
);
`;

Deno.test("auto takes a real GPU, and never a software adapter unasked", pooled, async () => {
  const backend = await createBackend({ device: "auto", threads: 1 });
  assert.equal(backend.name, adapter && !isSoftware(adapter) ? "webgpu" : "wasm");
  backend.close();
});

Deno.test("flags for the other device are refused", async () => {
  const refused = /^UserError: --threads has no effect with --device webgpu: it is for the CPU$/;
  await assert.rejects(createBackend({ device: "webgpu", threads: 2 }), refused);
});

if (!adapter) {
  Deno.test("without an adapter --device webgpu says so", async () => {
    const none = /^UserError: there is no GPU that WebGPU can use/;
    await assert.rejects(createBackend({ device: "webgpu" }), none);
  });
}

Deno.test("devices prints a list, also where it is empty", pooled, async () => {
  const { code, out } = await printed(devices, "--json");
  assert.equal(code, 0);
  const found = JSON.parse(out) as { name: string; software: boolean; gflops: number; limits: object }[];
  assert.equal(found.length > 0, adapter !== undefined);
  for (const { name, limits, gflops } of found) {
    assert.ok(name.length > 0 && gflops > 0, `${name}: ${gflops} GFLOP/s`);
    assert.ok(Object.values(limits).every((limit) => limit > 0));
  }
});

onWebgpu("verify runs golden cases", async () => {
  const { code, out } = await printed(
    verify,
    ...["--golden", "tests/fixtures/golden", "--device", "webgpu", "--only", "add/*,activation/relu"],
  );
  assert.equal(code, 0, out);
  assert.match(out, /2 of 2 cases within tolerance$/);
});

onWebgpu("a run trains, is told on what, and is tested on either device", async () => {
  await withFolder(async (folder) => {
    const net = join(folder, "net.ts"), output = join(folder, "run");
    await Deno.writeTextFile(net, NET);
    const flags = ["--epochs", "1", "--limit-batches", "3", "--no-pictures"];
    const run = await printed(train, "--model", net, "--device", "webgpu", "--output", output, ...flags);
    assert.equal(run.code, 0, run.err);
    assert.ok(run.out.startsWith(`Strata on WebGPU, ${nameOf(adapter!)}`), run.out.slice(0, 200));
    const accuracies = [];
    for (const device of ["webgpu", "cpu"]) {
      const tested = await printed(evaluate, output, "--model", net, "--device", device, "--json");
      assert.equal(tested.code, 0, tested.err);
      accuracies.push((JSON.parse(tested.out) as { accuracy: number }).accuracy);
    }
    assert.equal(accuracies[0], accuracies[1]);
  });
});

onWebgpu("--autotune measures once, remembers it for the adapter, and a run keeps its choices", async () => {
  await withFolder(async (folder) => {
    const net = join(folder, "net.ts");
    await Deno.writeTextFile(net, NET);
    const runOnce = async (name: string) => {
      const output = join(folder, "runs", name);
      const flags = ["--epochs", "1", "--limit-batches", "1", "--no-pictures", "--batch-size", "2"];
      const { code, out, err } = await printed(
        ...[train, "--model", net, "--device", "webgpu", "--autotune", "--output", output, ...flags] as const,
      );
      assert.equal(code, 0, err);
      const { methods } = JSON.parse(await Deno.readTextFile(join(output, "config.json")));
      return { out, methods: methods as Record<string, string> };
    };
    const first = await runOnce("a"), second = await runOnce("b");
    assert.match(first.out, /^Autotune: [1-9]\d* products measured, 0 remembered in .+autotune\.json$/m);
    assert.match(second.out, /^Autotune: 0 products measured, [1-9]\d* remembered$/m);
    assert.ok(Object.keys(first.methods).includes("linear_grad_weight 2x10 2x48"));
    assert.deepEqual(second.methods, first.methods);
    const remembered = JSON.parse(await Deno.readTextFile(join(folder, "runs", "autotune.json")));
    assert.ok(Object.keys(remembered)[0]!.startsWith("WebGPU, "));
    assert.ok(Object.keys(remembered)[0]!.includes(nameOf(adapter!)));
  });
});

onWebgpu("bench model times a GPU, and tells where the time goes", async () => {
  await withFolder(async (folder) => {
    const net = join(folder, "net.ts");
    await Deno.writeTextFile(net, NET);
    const flags = ["--batch", "4", "--steps", "2", "--warmup", "0", "--profile", "--json"];
    const { code, out, err } = await printed(benchModel, "--model", net, "--device", "webgpu", ...flags);
    assert.equal(code, 0, err);
    const { backend, images_per_second, roof, profile } = JSON.parse(out);
    assert.deepEqual(Object.keys(backend), ["description", "software", "clock"]);
    assert.ok(images_per_second > 0 && roof.gflops > 0 && roof.gigabytes > 0);
    assert.ok(profile.kernels.some(({ name }: { name: string }) => name === "linear_grad_weight"));
  });
});
