import assert from "node:assert/strict";
import { findLearningRate } from "../../cli/lr_find.ts";
import { newProgress } from "../../core/train/progress.ts";
import type { Trainer } from "../../core/train/trainer.ts";
import { namesIn, withFolder } from "../support/temp_folder.ts";
import { run, smallNet } from "../support/tiny_run.ts";

Deno.test("--lr-find: a rate to try, its curve as a picture and as a table", async () => {
  await withFolder(async (folder) => {
    const output = `${folder}/find`;
    const digits = ["--model", await smallNet(folder), "--batch-size", "32", "--output", output];
    const idle = ["--max-steps", "9", "--scheduler", "cosine", "--warmup-epochs", "1"];
    const head = ["--lr", "0.001", "--lr-head", "0.01"];
    const { code, stdout, stderr } = await run(...digits, ...head, "--lr-find", ...idle);
    assert.equal(code, 0, stderr);
    const number = String.raw`(0\.\d+|\d+(?:\.\d+)?|\d(?:\.\d+)?e-\d)`;
    const tried = new RegExp(`^Try: --lr ${number} --lr-head ${number}$`, "m").exec(stdout);
    // As many times the other as in what was asked for.
    assert.ok(Math.abs(Number(tried![2]) / Number(tried![1]) - 10) < 0.02, stdout);
    assert.equal(
      stderr,
      "Note: --no-pictures, --scheduler, --warmup-epochs, --max-steps have no effect with --lr-find\n",
    );
    assert.deepEqual(namesIn(output), ["lr_find.csv", "lr_find.svg"]);
    const [header, first, ...rows] = (await Deno.readTextFile(`${output}/lr_find.csv`)).trim().split("\n");
    assert.equal(header, "lr,loss,smoothed_loss");
    assert.match(first!, /^1e-7,\d\.\d+,\d\.\d+$/);
    assert.ok(rows.length > 20, `${rows.length}`);
    assert.match(await Deno.readTextFile(`${output}/lr_find.svg`), /^<svg [^]*learning rate[^]*<\/svg>\s*$/);
  });
});

Deno.test("--lr-find: a loss that falls at no rate is the network's fault, or the data's; the curve is kept", async () => {
  await withFolder(async (folder) => {
    let loss = 1;
    const step = () => Promise.resolve({ loss: loss += 0.01, lr: 1e-7 * loss, step: 1, steps: 1000 });
    const trainer = { progress: newProgress(), step } as unknown as Trainer;
    const { log } = console;
    console.log = () => {};
    try {
      await assert.rejects(findLearningRate(trainer, { accumulate: 1, lr: 0.1, lr_head: 0 }, folder), {
        name: "UserError",
        message:
          "--lr-find: the loss falls at no rate: look at the images (--overfit-batches 1), or at the network",
      });
    } finally {
      console.log = log;
    }
    assert.deepEqual(namesIn(folder), ["lr_find.csv", "lr_find.svg"]);
  });
});
