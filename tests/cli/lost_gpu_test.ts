/** Runs whose GPU goes away, or has too little memory. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { planRun } from "../../cli/plan.ts";
import { train } from "../../cli/train.ts";
import { DeviceLost } from "../../core/backend/backend.ts";
import { createWebgpuBackend } from "../../core/backend/webgpu/backend.ts";
import { openGpu } from "../../core/backend/webgpu/device.ts";
import { readSafetensors } from "../../core/format/safetensors.ts";
import { classification } from "../../core/train/classification.ts";
import { createTrainer } from "../../core/train/trainer.ts";
import { existsSync } from "node:fs";
import { onWebgpu } from "../support/on_backends.ts";
import { printed } from "../support/printed.ts";
import { limitMemory, losingGpus } from "../support/small_gpu.ts";
import { withFolder } from "../support/temp_folder.ts";
import { tinyData, TinyNet } from "../support/tiny.ts";

const NET = `
import * as nn from "${new URL("../../core/nn/mod.ts", import.meta.url).pathname}";
export const input = [3, 32, 32];
export default ({ num_classes = 10 } = {}) => new nn.Sequential(
  new nn.AdaptiveAvgPool2d(4), new nn.Flatten(), new nn.Linear(48, num_classes),
);
`;

onWebgpu(
  "a run whose GPU is lost ends in a line, and goes on from its checkpoint with the same bits",
  async () => {
    await withFolder(async (folder) => {
      const net = join(folder, "net.ts"),
        output = join(folder, "run"),
        last = join(output, "last.safetensors");
      await Deno.writeTextFile(net, NET);
      const flags = ["--epochs", "3", "--limit-batches", "6", "--no-pictures", "--device", "webgpu"];
      const start = (to: string) => printed(train, "--model", net, "--output", to, ...flags);

      let behind = 0;
      const lost = await losingGpus(() => existsSync(last) && ++behind === 4, () => start(output));
      assert.equal(lost.code, 5, lost.err);
      const [line, ...more] = lost.err.split("\n");
      assert.match(
        line!,
        /^error: the GPU \(.+\) was lost: .+; the last good checkpoint is .+last\.safetensors$/,
      );
      assert.ok(more.some((line) => line.startsWith("Go on with: deno task train --resume ")), lost.err);

      const resumed = await printed(train, "--resume", output, "--model", net, "--device", "webgpu");
      assert.equal(resumed.code, 0, resumed.err);
      const whole = join(folder, "whole");
      assert.equal((await start(whole)).code, 0);
      const tensors = async (path: string) => readSafetensors(await Deno.readFile(path), path).tensors;
      assert.deepEqual(await tensors(last), await tensors(join(whole, "last.safetensors")));
    });
  },
);

onWebgpu("a run whose GPU is lost before there is a checkpoint says to start it again", async () => {
  await withFolder(async (folder) => {
    const net = join(folder, "net.ts"), output = join(folder, "run");
    await Deno.writeTextFile(net, NET);
    let submissions = 0;
    const { code, err } = await losingGpus(
      () => ++submissions === 5,
      () => printed(train, "--model", net, "--output", output, "--limit-batches", "6", "--device", "webgpu"),
    );
    assert.equal(code, 5, err);
    assert.match(
      err,
      /^error: the GPU \(.+\) was lost: .+; there is no checkpoint yet: start the run again\n/,
    );
    assert.ok(!err.includes("--resume"), err);
  });
});

/** A run on a GPU with so many bytes. */
async function smallRun(bytes: number, batch_size: number) {
  const gpu = await openGpu();
  limitMemory(gpu.device, bytes);
  const backend = await createWebgpuBackend({ gpu });
  const { train, ...data } = tinyData();
  return {
    backend,
    model: new TinyNet(),
    // As if there were enough images for any batch.
    data: { ...data, train: { ...train, count: 1e6 } },
    batch_size,
    epochs: 1,
    optimizer: { name: "sgd" } as const,
    lr: () => 0.1,
    task: classification(),
    seed: 1,
  };
}

onWebgpu("a batch that the GPU has no memory for is told before the start, with one that fits", async () => {
  const bytes = 2 ** 22;
  const options = await smallRun(bytes, 10_000);
  const refused = await planRun(options).then(() => "", (error) => String(error));
  const [, most] = /^UserError: --batch-size 10000: the run needs .+ GB can be had; use at most (\d+)$/
    .exec(refused) ?? assert.fail(refused);
  const planned = await planRun({ ...options, batch_size: Number(most) });
  const { totalBytes } = planned.session.memory;
  assert.ok(totalBytes > 0.9 * bytes, `${totalBytes} of ${bytes}`);
  planned.session.dispose();
  await assert.rejects(planRun({ ...options, batch_size: Math.ceil(1.2 * Number(most)) }), /use at most/);
  options.backend.close();
});

onWebgpu("memory that runs out within a run is told in a line, as the loss of a GPU", async () => {
  const options = await smallRun(2 ** 22, 8);
  const trainer = createTrainer(options);
  await trainer.initialise();
  await trainer.step();
  limitMemory((options.backend as Awaited<ReturnType<typeof createWebgpuBackend>>).gpu.device, 0);
  await assert.rejects(trainer.session.readState("fc.weight"), (error: Error) => {
    assert.ok(error instanceof DeviceLost);
    assert.match(error.message, /^the GPU \(.+\) has no memory left: use a smaller batch$/);
    return true;
  });
  options.backend.close();
});
