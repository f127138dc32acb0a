import assert from "node:assert/strict";
import { join } from "node:path";
import { train } from "../../cli/train.ts";
import { printed } from "../support/printed.ts";
import { withFolder } from "../support/temp_folder.ts";

Deno.test("a file's warm-up is shortened where later epochs leave no room for it; a flag's is an error", async () => {
  const settings = async (...flags: string[]) => {
    const { out, err } = await printed(train, ...flags, "--print-config");
    const { epochs, warmup_epochs } = JSON.parse(out);
    return { epochs, warmup_epochs, err };
  };
  const finetune = ["--recipe", "finetune", "--data", "photos"];
  const note = "Note: the warm-up is shortened from 1 to 0.25 epochs: the run has 1";
  assert.deepEqual(await settings(...finetune), { epochs: 8, warmup_epochs: 1, err: "" });
  assert.deepEqual(await settings(...finetune, "--epochs", "2"), { epochs: 2, warmup_epochs: 1, err: "" });
  assert.deepEqual(await settings(...finetune, "--epochs", "1"), {
    epochs: 1,
    warmup_epochs: 0.25,
    err: note,
  });
  await assert.rejects(
    train([...finetune, "--epochs", "1", "--warmup-epochs", "1", "--print-config"]),
    /^UserError: --warmup-epochs 1 must be less than the 1 of --epochs$/,
  );
  await withFolder(async (folder) => {
    const own = join(folder, "own.json"), whole = join(folder, "whole.json");
    await Deno.writeTextFile(own, JSON.stringify({ epochs: 1 }));
    assert.equal((await settings(...finetune, "--config", own)).warmup_epochs, 0.25);
    await Deno.writeTextFile(whole, (await printed(train, ...finetune, "--print-config")).out);
    assert.deepEqual(await settings("--config", whole, "--epochs", "1"), {
      epochs: 1,
      warmup_epochs: 0.25,
      err: note,
    });
    await Deno.writeTextFile(own, JSON.stringify({ epochs: 1, warmup_epochs: 1 }));
    await assert.rejects(train(["--config", own, "--print-config"]), /must be less than the 1 of --epochs/);
  });
});
