import assert from "node:assert/strict";
import { dirname, join } from "node:path";
import { train } from "../../cli/train.ts";
import { printed } from "../support/printed.ts";
import { withFolder } from "../support/temp_folder.ts";
import { smallRun } from "../support/tiny_run.ts";

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

Deno.test("a flag leaves out what a file has for others, and empties what it has", async () => {
  const settings = async (...flags: string[]) =>
    JSON.parse((await printed(train, ...flags, "--print-config")).out);
  const finetune = ["--recipe", "finetune", "--data", "photos"];
  assert.equal((await settings(...finetune, "--no-aug")).no_aug, true);
  await assert.rejects(
    train([...finetune, "--no-aug", "--scale", "0.5,1", "--print-config"]),
    /--scale has no effect with --no-aug/,
  );
  await withFolder(async (folder) => {
    const file = join(folder, "own.json"), whole = join(folder, "whole.json");
    await Deno.writeTextFile(file, '{ "no_aug": true }');
    const varied = await settings(...finetune, "--config", file, "--no-no-aug", "--rand-augment", "on");
    assert.deepEqual([varied.no_aug, varied.rand_augment], [false, [2, 9]]);
    const content = { scheduler: "cosine", min_lr: 1e-5, rand_augment: [2, 9], color_jitter: 0.4 };
    const more = { early_stop: false, pretrained: "a.pth", freeze: ["*"], input: "3x64x64" };
    await Deno.writeTextFile(file, JSON.stringify({ ...content, ...more }));
    await Deno.writeTextFile(whole, JSON.stringify(await settings(...finetune, "--config", file)));
    for (const files of [[...finetune, "--config", file], ["--config", whole]]) {
      assert.equal((await settings(...files, "--scheduler", "step")).scheduler, "step");
      assert.equal((await settings(...files, "--patience", "3")).early_stop, true);
      const off = ["--rand-augment", "off", "--color-jitter", "0", "--freeze", "none", "--input", "none"];
      const { rand_augment, color_jitter, freeze, input, pretrained } = await settings(...files, ...off);
      assert.deepEqual({ rand_augment, color_jitter, freeze, input, pretrained }, {
        rand_augment: [],
        color_jitter: [],
        freeze: [],
        input: [],
        pretrained: "a.pth",
      });
      const scratch = await settings(...files, "--pretrained", "none");
      assert.deepEqual([scratch.pretrained, scratch.freeze], ["", []]);
    }
  });
});

Deno.test("a data set that files name gives way to images of one's own in the folder that a flag names", async () => {
  await withFolder(async (folder) => {
    const datasetOf = async (...flags: string[]) => {
      const { out, err } = await printed(train, ...flags, "--print-config");
      return { dataset: JSON.parse(out).dataset, err };
    };
    for (const file of ["photos/cats/1.jpg", "parted/train/cats/1.jpg", "sets/MNIST/raw/t10k.gz"]) {
      await Deno.mkdir(dirname(join(folder, file)), { recursive: true });
      await Deno.writeTextFile(join(folder, file), "");
    }
    const [photos, parted, sets] = ["photos", "parted", "sets"].map((name) => join(folder, name));
    const whole = join(folder, "whole.json");
    const recipe = ["--recipe", "resnet50_layer4"];
    await Deno.writeTextFile(whole, (await printed(train, ...recipe, "--print-config")).out);
    for (const files of [recipe, ["--config", whole]]) {
      for (const data of [photos!, parted!]) {
        const { dataset, err } = await datasetOf(...files, "--data", data);
        assert.equal(dataset, "folder");
        assert.match(err, /^Note: --data .* has no cifar10, but folders of images: these are taken; .*$/);
        assert.equal((await datasetOf(...files, "--data", data, "--dataset", "cifar10")).dataset, "cifar10");
      }
      // To these it is downloaded, or it is there.
      for (const data of [sets!, join(folder, "nowhere")]) {
        assert.deepEqual(await datasetOf(...files, "--data", data), { dataset: "cifar10", err: "" });
      }
    }
    await Deno.writeTextFile(join(photos!, "data_batch_1.bin"), "");
    assert.equal((await datasetOf(...recipe, "--data", photos!)).dataset, "cifar10");
  });
});

Deno.test("a file that has every setting says what a run is that --resume auto goes on with", async () => {
  await withFolder(async (folder) => {
    await smallRun(folder, "run", "--limit-batches", "2", "--no-pictures");
    const output = join(folder, "run"), whole = join(folder, "whole.json");
    const config = JSON.parse(await Deno.readTextFile(join(output, "config.json")));
    await Deno.writeTextFile(whole, JSON.stringify({ ...config, epochs: 3, lr: 0.007 }));
    const flags = ["--config", whole, "--model", config.model, "--output", output, "--resume", "auto"];
    const { out, err } = await printed(train, ...flags, "--clip-grad", "2", "--print-config");
    assert.equal(err, `--resume auto: goes on with ${output}`);
    const { epochs, lr, clip_grad } = JSON.parse(out);
    assert.deepEqual({ epochs, lr, clip_grad }, { epochs: 3, lr: 0.007, clip_grad: 2 });
    await Deno.writeTextFile(whole, JSON.stringify({ ...config, batch_size: 32 }));
    await assert.rejects(
      train([...flags, "--print-config"]),
      /^UserError: --batch-size 32 does not go with --resume: that run has 64$/,
    );
  });
});

Deno.test("another optimiser or schedule than a file's has its own settings, whatever the file leaves out", async () => {
  const settings = async (...flags: string[]) =>
    JSON.parse((await printed(train, ...flags, "--print-config")).out);
  await withFolder(async (folder) => {
    const whole = join(folder, "whole.json");
    for (const recipe of ["resnet50_layer4", "boxes"]) {
      const named = ["--recipe", recipe, "--data", folder];
      await Deno.writeTextFile(whole, JSON.stringify(await settings(...named)));
      for (
        const flags of [
          ["--optimizer", "sgd"],
          ["--optimizer", "sgd", "--lr", "0.2"],
          ["--scheduler", "onecycle"],
          ["--scheduler", "exponential"],
        ]
      ) {
        const found = await settings(...named, ...flags);
        assert.deepEqual(found, await settings("--config", whole, ...flags), [recipe, ...flags].join(" "));
        if (flags.includes("onecycle")) assert.equal(found.warmup_epochs, 0);
      }
    }
    const sgd = await settings("--recipe", "resnet50_layer4", "--optimizer", "sgd");
    assert.deepEqual([sgd.lr, sgd.weight_decay, sgd.lr_head], [0.05, 5e-4, 0.0001]);
    // A file that names none has its rate for any.
    await Deno.writeTextFile(whole, '{ "lr": 0.3, "gamma": 0.7 }');
    const any = ["--config", whole, "--optimizer", "sgd", "--scheduler", "step"];
    const { lr, gamma } = await settings(...any);
    assert.deepEqual([lr, gamma], [0.3, 0.7]);
  });
});
