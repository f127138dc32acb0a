/** The train command as its user meets it: a process, its output, its exit code, its files. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { compare } from "../../cli/compare.ts";
import { convert } from "../../cli/convert.ts";
import { readSafetensors, writeSafetensors } from "../../core/format/safetensors.ts";
import { photograph, put } from "../support/pictures.ts";
import { printed } from "../support/printed.ts";
import { namesIn, withFolder } from "../support/temp_folder.ts";
import { command, NET, resume, root, run, withCifar } from "../support/tiny_run.ts";

/** Lines of a run's log, without its header. */
async function rowsOf(output: string): Promise<string[]> {
  return (await Deno.readTextFile(join(output, "log.csv"))).trim().split("\n").slice(1);
}

Deno.test("mistakes get one line that names the flag and what to do, and exit code 2", async () => {
  const cases: [args: string[], message: RegExp][] = [
    [["--model", "resnet5"], /^error: --model resnet5: .* did you mean resnet50\?/],
    [["--dataset", "digit"], /^error: --dataset digit: .* did you mean digits\?/],
    [["--epochs", "0"], /^error: --epochs must be a whole number of 1 or more, not "0"/],
    [["--epochs", "-3"], /^error: --epochs (must be|needs a value)/],
    [["--epochs=-3"], /^error: --epochs must be a whole number of 1 or more, not "-3"/],
    [["--batch-size", "1.5"], /^error: --batch-size must be a whole number/],
    [["--lr", "fast"], /^error: --lr must be a number above 0, not "fast"/],
    [["--epoch", "3"], /^error: --epoch is no flag: did you mean --epochs\?/],
    [["resnet50"], /^error: "resnet50" is not expected here/],
    [["--lr"], /^error: --lr needs a value/],
    [["--seed", "1", "--seed", "2"], /^error: --seed is given twice/],
    [["--resume", "/nowhere/at/all"], /^error: --resume \/nowhere\/at\/all: there is no such file or folder/],
    [["--evaluate-only"], /^error: --evaluate-only needs --resume/],
    [
      ["--evaluate-only", "--resume", "auto"],
      /^error: --resume auto is for runs to go on with; --evaluate-only/,
    ],
    [["--scheduler", "multistep"], /^error: --scheduler multistep needs --milestones/],
    [["--batch-size", "100000"], /^error: --batch-size 100000: digits has 1442 training images/],
    [
      ["--dataset", "cifar10", "--data", "/nowhere/cifar.tar.gz"],
      /^error: \/nowhere\/cifar\.tar\.gz: there is no such file/,
    ],
    [
      ["--optimizer", "adamw", "--momentum", "0.9"],
      /^error: --momentum has no effect with --optimizer adamw/,
    ],
    [
      ["--output", "/dev/null/run", "--dataset", "cifar10", "--data", "/nowhere/cifar.tar.gz"],
      /^error: --output \/dev\/null\/run: cannot write there \(.*\); choose another folder$/m,
    ],
  ];
  for (const [args, message] of cases) {
    const { code, stderr } = await run(...args);
    assert.match(stderr, message, args.join(" "));
    assert.equal(stderr.trimEnd().split("\n").length, 1, stderr);
    assert.equal(code, 2, args.join(" "));
  }
});

Deno.test("--help has examples, then flags in groups, then exit codes", async () => {
  const { code, stdout } = await run("--help");
  assert.equal(code, 0);
  const order = [
    "deno task train ",
    "What to train:",
    "\n  --model",
    "How long",
    "\n  --epochs",
    "What is kept:",
    "--help",
    "Recipes:",
    "\n  digits",
    "Exit codes",
  ];
  const places = order.map((part) => stdout.indexOf(part));
  assert.deepEqual(stdout.split("\n").filter((line) => [...line].length > 80), []);
  assert.ok(places[0]! > 0 && places.every((place, i) => i === 0 || place > places[i - 1]!), `${places}`);
});

Deno.test("a batch larger than memory is refused with the largest that fits", async () => {
  await withCifar(async (_small, folder) => {
    const data = join(folder, "data");
    await Deno.writeFile(join(data, "data_batch_1.bin"), new Uint8Array(9000 * 3073));
    const settings = ["--model", "vgg16_cifar", "--dataset", "cifar10", "--data", data];
    const { code, stderr } = await run(...settings, "--batch-size", "9000");
    assert.match(
      stderr,
      /^error: --batch-size 9000: the run needs \d+\.\d\d GB of memory, \d+\.\d\d GB can be had; use at most \d+\n$/,
    );
    assert.equal(code, 2);
  });
});

Deno.test("a run prints the course's lines, keeps its files, and can be tested and gone on with", async () => {
  await withCifar(async (small, folder) => {
    const output = join(folder, "run");
    const first = await run(
      ...small,
      "--epochs",
      "2",
      "--output",
      output,
      "--print-every",
      "2",
    );
    assert.equal(first.code, 0, first.stderr);
    assert.match(first.stdout, /^Epoch \[1\/2\], Step \[2\/4\] Loss: \d+\.\d{4}$/m);
    assert.match(first.stdout, /^Epoch \[2\/2\], Step \[4\/4\] Loss: \d+\.\d{4}$/m);
    const accuracy = /^Accuracy of the model on the test images: \d+\.\d\d %$/m;
    assert.match(first.stdout, accuracy);

    const files = namesIn(output);
    assert.deepEqual(files, ["best.safetensors", "config.json", "last.safetensors", "log.csv"]);
    const config = JSON.parse(await Deno.readTextFile(join(output, "config.json")));
    assert.equal(config.epochs, 2);
    assert.equal((await rowsOf(output)).length, 2);
    assert.match(await Deno.readTextFile(join(output, "log.csv")), /^epoch,train_loss,/);

    const tested = await resume(small, output, "--evaluate-only");
    assert.equal(tested.stdout.match(accuracy)![0], first.stdout.match(accuracy)![0]);

    const again = await run(...small, "--output", output);
    assert.equal(again.code, 2);
    assert.match(again.stderr, /there is a run already; resume it with --resume/);

    const other = await run("--resume", output, "--model", "resnet50");
    assert.match(
      other.stderr,
      /^error: --model resnet50 does not go with --resume: that run has /,
    );

    const elsewhere = join(folder, "elsewhere");
    const on = await resume(small, output, "--epochs", "3", "--output", elsewhere);
    assert.equal(on.code, 0, on.stderr);
    assert.ok(on.stdout.includes(`; weights in ${elsewhere}/best.safetensors\n`), on.stdout);
    assert.deepEqual(namesIn(elsewhere), files);
    assert.equal((await rowsOf(elsewhere)).length, 3);
    assert.deepEqual((await rowsOf(elsewhere)).slice(0, 2), await rowsOf(output));

    const same = await resume(small, output, "--epochs", "3", "--output", `${output}/`);
    assert.equal(same.code, 0, same.stderr);
    assert.equal((await rowsOf(output)).length, 3);
  });
});

Deno.test("a loss that is not finite ends with 3, and leaves a run to go on with", async () => {
  await withCifar(async (small, folder) => {
    const output = join(folder, "run");
    const wild = [...small, "--epochs", "1", "--output", output, "--lr", "1e30"];
    const first = await run(...wild);
    assert.equal(first.code, 3, first.stderr);
    assert.match(first.stderr, /^error: epoch 1, step \d: the loss is .*; the last good checkpoint is /);
    assert.ok(
      first.stderr.endsWith(
        `the last good checkpoint is ${output}/last.safetensors\nAll of the run is in ${output}\n` +
          `Go on with: deno task train --resume ${output} --model ${small[1]} --lr 1e+29\n`,
      ),
      first.stderr,
    );
    assert.deepEqual(namesIn(output), ["config.json", "last.safetensors"]);
    // No epoch was finished, so the run's beginning is what is kept.
    const { metadata } = readSafetensors(await Deno.readFile(join(output, "last.safetensors")));
    assert.equal(JSON.parse(metadata["strata.progress"]!).updates, 0);

    const tried = await run(...wild.slice(0, -4), "--lr", "1e30", "--dry-run");
    assert.equal(tried.code, 3, tried.stderr);
    assert.match(tried.stderr, /^error: epoch 1, step 2: the loss is .*\n$/);

    const again = await run(...wild);
    assert.match(again.stderr, /there is a run already; resume it with --resume/);
    const before = await Deno.readTextFile(join(output, "config.json"));
    assert.equal((await resume(small, output, "--lr", "1e29")).code, 3);
    assert.equal(await Deno.readTextFile(join(output, "config.json")), before);
    const tame = await resume(small, output, "--lr", "0.01");
    assert.equal(tame.code, 0, tame.stderr);
  });
});

Deno.test("what is not finite from the start ends with 3 too, in one line, and nothing is kept", async () => {
  await withCifar(async (small, folder) => {
    const net = join(folder, "spoilt.ts"), output = join(folder, "run");
    const spoilt = "); model[6].weight.init = { kind: 'constant', value: NaN }; return model; };";
    await Deno.writeTextFile(
      net,
      NET.replace("=> new nn.Sequential(", "=> { const model = new nn.Sequential(").replace(
        /\);\s*$/,
        spoilt,
      ),
    );
    const args = [...small.slice(2), "--model", net, "--output", output];
    const { code, stderr } = await run(...args);
    assert.equal(code, 3, stderr);
    assert.match(
      stderr,
      /^error: epoch 1, step 1: the loss is NaN; .*6\.weight.*; there is no checkpoint yet\nAll of the run is in .*\n$/,
    );
    assert.deepEqual(namesIn(output), ["config.json"]);
    for (const trial of ["--dry-run", "--lr-find"]) {
      const { code, stderr } = await run(...args, trial);
      assert.equal(code, 3, stderr);
      assert.match(stderr, /^(Note: .*\n)?error: epoch 1, step 1: the loss is NaN; .*\n$/);
    }
  });
});

Deno.test("weights that are not finite are kept neither with averages nor with gathered gradients", async () => {
  await withCifar(async (small, folder) => {
    const output = join(folder, "run");
    const recipe = [...small, "--ema", "--accumulate", "2", "--save-every-minutes", "0.0000001"];
    assert.equal((await run(...recipe, "--epochs", "1", "--output", output)).code, 0);
    const { code, stderr } = await resume(small, output, "--epochs", "9", "--lr", "1e30");
    assert.equal(code, 3, stderr);
    for (const name of ["last.safetensors", "best.safetensors"]) {
      const { tensors } = readSafetensors(await Deno.readFile(join(output, name)));
      for (const [tensor, { data }] of tensors) {
        assert.ok(Array.from(data, Number).every(Number.isFinite), `${name}: ${tensor}`);
      }
    }
  });
});

Deno.test("a run whose test loss overflowed goes on, and is compared", async () => {
  await withCifar(async (small, folder) => {
    const output = join(folder, "run"), log = join(output, "log.csv");
    assert.equal((await run(...small, "--epochs", "1", "--output", output)).code, 0);
    const [header, row] = (await Deno.readTextFile(log)).split("\n") as [string, string];
    const cells = row.split(",");
    cells[header.split(",").indexOf("test_loss")] = "inf";
    await Deno.writeTextFile(log, `${header}\n${cells.join(",")}\n`);
    const on = await resume(small, output, "--epochs", "2");
    assert.equal(on.code, 0, on.stderr);
    const rows = await rowsOf(output);
    assert.deepEqual([rows.length, rows[0]], [2, cells.join(",")]);
    const svg = join(folder, "compared.svg");
    assert.match((await printed(compare, output, "--output", svg)).out, /^run +2 /m);
  });
});

Deno.test("a crash between an epoch's files loses nothing: the epoch is repeated", async () => {
  await withCifar(async (small, folder) => {
    const output = join(folder, "run");
    assert.equal((await run(...small, "--epochs", "1", "--output", output)).code, 0);
    const [last, spare] = ["last", "spare"].map((name) => join(output, `${name}.safetensors`)) as [
      string,
      string,
    ];
    await Deno.rename(last, spare);
    await Deno.mkdir(join(last, "in the way"), { recursive: true });
    const crashed = await resume(small, spare, "--epochs", "2", "--save-every", "1");
    assert.equal(crashed.code, 2);
    assert.match(crashed.stderr, /last\.safetensors: cannot write this file/);
    const [, row] = await rowsOf(output);
    assert.ok(row, "the log is written before the checkpoint");
    assert.ok(namesIn(output).includes("epoch-2.safetensors"), "and so is the one that is kept for good");

    await Deno.remove(last, { recursive: true });
    assert.equal((await resume(small, spare, "--epochs", "2")).code, 0);
    const rows = await rowsOf(output);
    assert.equal(rows.length, 2);
    const withoutTimes = (row: string) => row.split(",").slice(0, 6);
    assert.deepEqual(withoutTimes(rows[1]!), withoutTimes(row));
  });
});

Deno.test("a log whose first lines were moved away has each epoch once", async () => {
  await withCifar(async (small, folder) => {
    const [output, other] = [join(folder, "run"), join(folder, "other")];
    assert.equal((await run(...small, "--epochs", "3", "--save-every", "1", "--output", output)).code, 0);
    const log = join(output, "log.csv");
    const [header, _first, ...rest] = (await Deno.readTextFile(log)).split("\n");
    await Deno.writeTextFile(log, [header, ...rest].join("\n"));
    const second = join(output, "epoch-2.safetensors");
    assert.equal((await resume(small, second, "--output", other)).code, 0);
    assert.deepEqual((await rowsOf(other)).map((row) => row.split(",")[0]), ["2", "3"]);
  });
});

Deno.test("a run does not go on with other images, but its weights may be tested on them", async () => {
  await withCifar(async (small, folder) => {
    const output = join(folder, "run");
    assert.equal((await run(...small, "--epochs", "1", "--output", output)).code, 0);
    const images = join(folder, "data", "data_batch_1.bin");
    const bytes = await Deno.readFile(images);
    bytes[500]! ^= 1;
    await Deno.writeFile(images, bytes);
    const changed = await resume(small, output, "--epochs", "2");
    assert.equal(changed.code, 2);
    assert.match(
      changed.stderr,
      /^error: --data .*: cifar10 has other images than the run to be resumed; .*\n$/,
    );
    await Deno.writeFile(images, bytes.subarray(0, 8 * 3073));
    assert.match(
      (await resume(small, output, "--epochs", "2")).stderr,
      /cifar10 has 8 training and 8 test images, not the 16 training and 8 test images of the run/,
    );
    assert.equal((await resume(small, output, "--evaluate-only")).code, 0);
    // Where images of one's own lie, the run's data set is not downloaded.
    await Deno.mkdir(join(folder, "photos", "cats"), { recursive: true });
    await Deno.writeTextFile(join(folder, "photos", "cats", "1.jpg"), "");
    for (const mode of [["--epochs", "2"], ["--evaluate-only"]]) {
      const photos = await resume(small, output, "--data", join(folder, "photos"), ...mode);
      assert.match(
        photos.stderr,
        /^error: --data .*: has folders of images, not the run's cifar10; to test its weights on them: .*\n$/,
      );
    }
  });
});

Deno.test("nothing is made where nothing can start", async () => {
  await withFolder(async (folder) => {
    const output = join(folder, "run");
    assert.equal((await run("--batch-size", "100000", "--output", output)).code, 2);
    await assert.rejects(Deno.stat(output), Deno.errors.NotFound);
  });
});

Deno.test("--autotune measures once, remembers beside the runs, and a run keeps its choices", async () => {
  await withCifar(async (small, folder) => {
    const net = join(folder, "convolution.ts");
    await Deno.writeTextFile(net, NET.replace("nn.ReLU()", "nn.Conv2d(8, 8, 3)"));
    const runOnce = (name: string, ...flags: string[]) => {
      const output = join(folder, "runs", name);
      return run(...small.slice(2), "--model", net, "--epochs", "1", "--output", output, ...flags);
    };
    assert.match(
      (await runOnce("a", "--autotune")).stdout,
      /Autotune: [1-9]\d* convolutions measured, 0 remembered/,
    );
    assert.match(
      (await runOnce("b", "--autotune")).stdout,
      /Autotune: 0 convolutions measured, [1-9]\d* remembered/,
    );
    const configs = await Promise.all(
      ["a", "b"].map(async (name) =>
        JSON.parse(await Deno.readTextFile(join(folder, "runs", name, "config.json")))
      ),
    );
    assert.ok(Object.keys(configs[0].methods).some((name) => name.startsWith("weight 4x8x")));
    assert.deepEqual(configs[0].methods, configs[1].methods);
    const clash = await runOnce("c", "--autotune", "--exact");
    assert.equal(clash.code, 2);
    assert.match(clash.stderr, /--autotune has nothing to choose with --exact/);
  });
});

Deno.test("Ctrl-C finishes the step and saves; going on gives the uninterrupted run's bytes", async () => {
  await withCifar(async (small, folder) => {
    const settings = [...small, "--epochs", "6", "--warmup-epochs", "5", "--print-every", "1"];
    const [whole, cut] = [join(folder, "whole"), join(folder, "cut")];
    assert.equal((await run(...settings, "--output", whole)).code, 0);

    const child = command([...settings, "--output", cut]).spawn();
    let printed = "";
    for await (const chunk of child.stdout.pipeThrough(new TextDecoderStream())) {
      const before = printed;
      printed += chunk;
      // After a step in the middle of the second epoch.
      if (/Epoch \[2\/6\], Step \[2/.test(printed) && !/Epoch \[2\/6\], Step \[2/.test(before)) {
        child.kill("SIGINT");
      }
    }
    await child.stderr.cancel();
    assert.equal((await child.status).code, 130, printed);
    assert.match(
      printed,
      /Stopped in epoch \d+ after step \d+ of 4; nothing is lost\.\nBest: .*\nAll of the run is in .*\nGo on with: deno task train --resume /,
    );

    assert.equal((await resume(small, cut)).code, 0);
    const tensors = async (path: string) => {
      const { tensors } = readSafetensors(await Deno.readFile(join(path, "last.safetensors")));
      return new Map(
        [...tensors].map((
          [name, { data }],
        ) => [name, new Uint8Array(data.buffer, data.byteOffset, data.byteLength)]),
      );
    };
    assert.deepEqual(await tensors(cut), await tensors(whole));
  });
});

Deno.test("checkpoints that are cut off, of another network or of no run are refused", async () => {
  await withCifar(async (small, folder) => {
    const output = join(folder, "run");
    const first = await run(...small, "--epochs", "1", "--output", output);
    assert.equal(first.code, 0, first.stderr);
    const last = await Deno.readFile(join(output, "last.safetensors"));
    const refused = async (name: string, bytes: Uint8Array, message: RegExp, ...flags: string[]) => {
      const path = join(folder, name);
      await Deno.writeFile(path, bytes);
      const { code, stderr } = await run("--resume", path, ...flags);
      assert.equal(code, 2, stderr);
      assert.match(stderr, message);
      assert.equal(stderr.trimEnd().split("\n").length, 1, stderr);
    };
    await refused(
      "short.safetensors",
      last.subarray(0, last.length - 1000),
      /^error: .*short\.safetensors: /,
    );
    await refused("empty.safetensors", new Uint8Array(), /^error: .*empty\.safetensors: /);
    const { metadata, tensors } = readSafetensors(last);
    const weights = new Map([...tensors].filter(([name]) => !name.startsWith("optimizer.")));
    await refused(
      "plain.safetensors",
      writeSafetensors(weights, {}),
      /: name --model and --dataset$/m,
      "--evaluate-only",
    );
    const plain = ["--resume", join(folder, "plain.safetensors")];
    assert.match((await run(...plain, ...small)).stderr, /not a checkpoint of a Strata run.*--evaluate-only/);
    const tested = await run(...plain, ...small, "--evaluate-only");
    const accuracy = /^Accuracy of .*$/m;
    assert.equal(tested.stdout.match(accuracy)?.[0], first.stdout.match(accuracy)![0], tested.stderr);

    // Weights of another format are tested the same.
    const torch = join(folder, "plain.pth");
    assert.equal(
      (await printed(convert, join(output, "last.safetensors"), torch, ...small.slice(0, 2))).code,
      0,
    );
    assert.match(
      (await run("--resume", torch, ...small)).stderr,
      /plain\.pth: not a checkpoint of a Strata run/,
    );
    const other = await run("--resume", torch, ...small, "--evaluate-only");
    assert.equal(other.stdout.match(accuracy)?.[0], tested.stdout.match(accuracy)![0], other.stderr);

    const best = await resume(small, join(output, "best.safetensors"), "--epochs", "2");
    assert.match(best.stderr, /^error: .*holds weights only, .* from its last\.safetensors\n$/);
    const others = new Map([...tensors].filter(([name]) => name !== "0.weight"));
    await refused(
      "other.safetensors",
      writeSafetensors(others, metadata),
      /of another network.*: 0\.weight is missing/,
      ...small.slice(0, 2),
    );
  });
});

Deno.test("a folder of images is trained on by naming it, and a resumed run finds the same images", async () => {
  await withCifar(async (small, folder) => {
    const photos = join(folder, "photos");
    for (const name of ["cats", "dogs"]) {
      for (let i = 0; i < 6; i++) await put(join(photos, name, `${i}.jpg`), await photograph(40 * i, 99, 30));
    }
    const output = join(folder, "run");
    const net = ["--model", small[1]!, "--data", photos, "--input", "3x32x32", "--batch-size", "4"];
    const first = await run(
      ...net,
      "--epochs",
      "1",
      "--val-split",
      "0.3",
      "--rand-augment",
      "on",
      "--output",
      output,
    );
    assert.equal(first.code, 0, first.stderr);
    assert.match(first.stdout, /^photos: 8 training and 4 test images of 3×32×32, 2 classes$/m);
    assert.match(first.stdout, /data wait \d+\.\d %/);
    assert.match(await Deno.readTextFile(join(output, "log.csv")), /,data_wait,seconds\n/);
    const more = await resume(small, output, "--epochs", "2");
    assert.equal(more.code, 0, more.stderr);
    const other = await resume(small, output, "--epochs", "3", "--input", "3x16x16");
    assert.match(other.stderr, /^error: --input 3,16,16 does not go with --resume: that run has 3,32,32/);
    await Deno.remove(join(photos, "cats/0.jpg"));
    const changed = await resume(small, output, "--epochs", "3");
    assert.match(
      changed.stderr,
      /^error: --data .* has 7 training and 4 test images|^error: --data .* has 8 training and 3 test/,
    );
  });
});

Deno.test("settings come from a recipe, then a file, then flags, and are printed as JSON alone", async () => {
  await withFolder(async (folder) => {
    const file = join(folder, "mine.json");
    await Deno.writeTextFile(file, JSON.stringify({ epochs: 3, cutmix: 1 }));
    const printed = await run(
      "--recipe",
      "digits",
      "--config",
      file,
      "--epochs",
      "4",
      "--no-ema",
      "--print-config",
    );
    const { model, epochs, cutmix, ema, no_wd_on_norm } = JSON.parse(printed.stdout);
    assert.deepEqual([model, epochs, cutmix, ema, no_wd_on_norm], ["resnet20", 4, 1, false, true]);

    const whole = join(folder, "whole.json");
    await Deno.writeTextFile(whole, printed.stdout);
    const again = await run("--config", whole, "--print-config");
    assert.equal(again.stdout, printed.stdout);
  });
});

Deno.test("a dry run goes through everything and keeps nothing", async () => {
  await withCifar(async (small, folder) => {
    const output = join(folder, "run");
    const limits = ["--max-steps", "1", "--patience", "3"];
    const { code, stdout, stderr } = await run(...small, "--output", output, "--ema", ...limits, "--dry-run");
    assert.equal(code, 0, stderr);
    assert.equal(stderr, "Note: --max-steps, --patience have no effect with --dry-run\n");
    assert.match(stdout, /^A step takes \d+\.\d{3} s: \d+ images a second$/m);
    assert.match(stdout, /^Memory .*; a checkpoint is \d/m);
    await assert.rejects(Deno.stat(output), Deno.errors.NotFound);
  });
});

Deno.test("other weights are begun with: all but a head of other classes; frozen layers stay", async () => {
  await withCifar(async (small, folder) => {
    const output = join(folder, "first");
    assert.equal((await run(...small, "--epochs", "1", "--output", output)).code, 0);
    const best = join(output, "best.safetensors");
    const { tensors, metadata } = readSafetensors(await Deno.readFile(best));
    // The head of another number of classes.
    const other = new Map(tensors);
    other.set("6.weight", { dtype: "F32", shape: [3, 32], data: new Float32Array(96) });
    other.set("6.bias", { dtype: "F32", shape: [3], data: new Float32Array(3) });
    const weights = join(folder, "other.safetensors");
    await Deno.writeFile(weights, writeSafetensors(other, metadata));

    const tuned = join(folder, "tuned");
    const begin = [...small, "--pretrained", weights];
    const second = await run(...begin, "--freeze", "--lr-head", "0.01", "--epochs", "1", "--output", tuned);
    assert.equal(second.code, 0, second.stderr);
    assert.match(second.stdout, /^Weights of 5 tensors from .*; 2 begin anew: 6\.weight, 6\.bias$/m);
    assert.match(second.stdout, /562 parameters, of which 330 are trained/);
    const after = readSafetensors(await Deno.readFile(join(tuned, "best.safetensors"))).tensors;
    for (const name of ["0.weight", "1.weight", "1.running_mean"]) {
      assert.deepEqual(after.get(name)!.data, tensors.get(name)!.data, name);
    }
    assert.notDeepEqual(after.get("6.weight")!.data, tensors.get("6.weight")!.data);

    // A run's folder stands for its best weights.
    const own = [...small, "--pretrained", output, "--epochs", "1"];
    const again = await run(...own, "--freeze", "--output", join(folder, "again"));
    assert.match(again.stdout, /^Weights of 7 tensors from .*first$/m);

    other.delete("0.weight");
    await Deno.writeFile(weights, writeSafetensors(other, metadata));
    const missing = await run(...begin, "--output", join(folder, "third"));
    assert.equal(missing.code, 2);
    assert.match(missing.stderr, /weights of another network.*--partial/);
    const partial = await run(...begin, "--partial", "--epochs", "1", "--output", join(folder, "fourth"));
    assert.match(partial.stdout, /3 begin anew: 0\.weight, 6\.weight, 6\.bias/);
    // Told before data are looked for.
    const nowhere = ["--pretrained", join(folder, "nothing.pth"), "--data", join(folder, "missing.tar.gz")];
    const gone = await run(...small.slice(0, 4), ...nowhere, "--output", join(folder, "gone"));
    assert.match(gone.stderr, /^error: .*nothing\.pth: there is no such file or folder\n$/);
    const typo = await run(...begin, "--freeze", "7", "--output", join(folder, "fifth"));
    assert.match(typo.stderr, /^error: there is no layer 7 with parameters; did you mean/);
    // What no file has taught is not frozen: a body that differs, a head of other classes.
    for (
      const [freeze, which] of [["--freeze", "0.weight begins"], ["--freeze=6", "6.weight and 1 more begin"]]
    ) {
      const random = await run(...begin, "--partial", freeze!, "--output", join(folder, "sixth"));
      assert.equal(random.code, 2);
      const start = `error: --freeze would keep random weights: ${which} anew; `;
      assert.equal(random.stderr.slice(0, start.length), start);
    }
    const some = ["--partial", "--freeze=1", "--epochs", "1"];
    const body = await run(...begin, ...some, "--output", join(folder, "seventh"));
    assert.equal(body.code, 0, body.stderr);
  });
});

Deno.test("a run that is killed within an epoch has lost little, and auto goes on with it", async () => {
  await withCifar(async (small, folder) => {
    // A network that comes with Strata: code of one's own would have to be named again.
    const settings = ["--model", "resnet20", ...small.slice(2), "--epochs", "3", "--print-every", "1"];
    const whole = join(folder, "whole");
    assert.equal((await run(...settings, "--output", whole)).code, 0);

    // Killed without warning, in its first epoch: `runs` is that of the folder where it was started.
    const often = ["--save-every-minutes", "0.0001", "--output", join(folder, "runs", "killed")];
    const child = command([...settings, ...often]).spawn();
    for await (const text of child.stdout.pipeThrough(new TextDecoderStream())) {
      if (text.includes("Step [3/4]")) {
        child.kill("SIGKILL");
        break;
      }
    }
    await child.status;
    await child.stderr.cancel();
    const auto = (...flags: string[]) =>
      new Deno.Command(Deno.execPath(), {
        args: ["run", "-A", join(root, "train.ts"), ...flags, "--resume", "auto"],
        cwd: folder,
        env: { NO_COLOR: "1" },
      }).output();
    const { stdout, stderr } = await auto();
    const text = new TextDecoder();
    assert.match(text.decode(stderr), /--resume auto: goes on with runs\/killed/);
    assert.match(text.decode(stdout), /Accuracy of the model/);
    const bytes = async (path: string) =>
      readSafetensors(await Deno.readFile(join(path, "last.safetensors"))).tensors;
    assert.deepEqual(await bytes(join(folder, "runs", "killed")), await bytes(whole));

    const none = await auto(...settings);
    assert.match(
      text.decode(none.stderr),
      /--resume auto: no unfinished run fits; a new one of .* on cifar10 begins/,
    );
  });
});

Deno.test("the best epochs and every second one are kept, and a stop in time says how to go on", async () => {
  await withCifar(async (small, folder) => {
    const output = join(folder, "run");
    const kept = ["--save-top-k", "2", "--save-every", "2"];
    const { stdout } = await run(...small, "--epochs", "5", "--output", output, "--lr", "0.01", ...kept);
    assert.match(stdout, /^Best: .*\nAll of the run is in .*\nGo on with: .* --resume .* --epochs 10\n$/m);
    const names = namesIn(output);
    assert.equal(names.filter((name) => /^best-0\.\d{4}-epoch-\d\.safetensors$/.test(name)).length, 2);
    assert.deepEqual(names.filter((name) => name.startsWith("epoch-")), [
      "epoch-2.safetensors",
      "epoch-4.safetensors",
    ]);
    const on = await resume(small, join(output, "epoch-4.safetensors"), "--output", join(folder, "on"));
    assert.equal(on.code, 0, on.stderr);

    const short = ["--max-steps", "6", "--output", join(folder, "short")];
    const stopped = await run(...small, ...short);
    assert.equal(stopped.code, 0, stopped.stderr);
    assert.match(
      stopped.stdout,
      /Stopped in epoch 2 after step 2 of 4; nothing is lost\.\nAccuracy of the model/,
    );
    assert.match(stopped.stdout, /--max-steps 12\n$/);
    const timed = await run(...small, "--max-time", "0.001s", "--output", join(folder, "timed"));
    assert.match(timed.stdout, /Stopped in epoch 1 after step 1 of 4; nothing is lost\./);
    // An epoch that is trained is tested anyway, and so it is done.
    const whole = ["--batch-size", "16", "--max-time", "0.001s", "--output", join(folder, "whole")];
    const done = await run(...small.slice(0, -2), ...whole);
    assert.doesNotMatch(done.stdout, /Stopped/);
    assert.match(done.stdout, /^Epoch \[1\/10\] train: .*\nAccuracy of the model .*\nBest: /m);
    assert.match(await Deno.readTextFile(join(folder, "whole", "log.csv")), /\n1,.*\n$/);
  });
});

Deno.test("a run that ends within its first epoch has best weights, though they may get nothing right", async () => {
  await withCifar(async (small, folder) => {
    for (const [name, label] of [["data_batch_1", 0], ["test_batch", 9]] as const) {
      const file = join(folder, "data", `${name}.bin`);
      const records = await Deno.readFile(file);
      for (let at = 0; at < records.length; at += 3073) records[at] = label;
      await Deno.writeFile(file, records);
    }
    const output = join(folder, "run");
    const flags = ["--lr", "0.1", "--scheduler", "constant", "--warmup-epochs", "0", "--max-steps", "3"];
    const { code, stdout } = await run(...small, ...flags, "--output", output);
    assert.equal(code, 0);
    const best = join(output, "best.safetensors");
    assert.match(stdout, /^Accuracy of the model on the test images: 0\.00 %\nBest: 0\.00 % in epoch 1; /m);
    assert.ok(stdout.includes(`weights in ${best}\n`));
    assert.ok((await Deno.stat(best)).isFile);
  });
});

Deno.test("a run that goes back keeps what came later aside, and names the score that its best weights have", async () => {
  await withCifar(async (small, folder) => {
    const output = join(folder, "run"), elsewhere = join(folder, "elsewhere");
    const bestOf = async (folder: string): Promise<{ best_epoch: number; best_score: number }> => {
      const { metadata } = readSafetensors(await Deno.readFile(join(folder, "best.safetensors")));
      return JSON.parse(metadata["strata.progress"]!);
    };
    const kept = ["--save-top-k", "2", "--save-every", "1", "--lr", "0.01", "--epochs", "8"];
    assert.equal((await run(...small, ...kept, "--output", output)).code, 0);
    const [first, later, ...none] = namesIn(output).filter((name) => /^best-.*-epoch-/.test(name));
    assert.deepEqual([first, later, none], [
      "best-0.1250-epoch-1.safetensors",
      "best-0.2500-epoch-6.safetensors",
      [],
    ]);
    const back = (...flags: string[]) =>
      resume(small, join(output, "epoch-3.safetensors"), "--lr", "1e-9", ...flags);

    const away = await back("--save-top-k", "1", "--output", elsewhere);
    assert.equal(away.code, 0, away.stderr);
    assert.match(away.stdout, /^Best: 12\.50 % in epoch 1; weights in .*elsewhere.best\.safetensors$/m);
    assert.ok(namesIn(elsewhere).includes(first!) && !namesIn(elsewhere).includes(later!));
    assert.equal((await bestOf(elsewhere)).best_epoch, 1);

    const gone = await back("--epochs", "4");
    assert.equal(gone.code, 0, gone.stderr);
    const aside = join(output, "after-epoch-3");
    assert.ok(
      gone.stdout.includes(`Note: what this run had after epoch 3 is set aside in ${aside}\n`),
      gone.stdout,
    );
    assert.match(gone.stdout, /^Best: 12\.50 % in epoch 1; weights in /m);
    assert.equal((await bestOf(output)).best_epoch, 1);
    assert.equal((await bestOf(aside)).best_epoch, 6);
    for (const name of [later!, "epoch-5.safetensors", "last.safetensors"]) {
      assert.ok(namesIn(aside).includes(name), name);
    }
    assert.deepEqual([(await rowsOf(output)).length, (await rowsOf(aside)).length], [4, 8]);
    // That is a run too. Killed after it saved the best weights, it has them.
    await Deno.rename(join(aside, "epoch-5.safetensors"), join(aside, "last.safetensors"));
    const on = await resume(small, aside, "--epochs", "6", "--lr", "1e-9");
    assert.match(on.stdout, /^Best: 25\.00 % in epoch 6; weights in /m);

    for (const name of ["best.safetensors", first!]) await Deno.remove(join(output, name));
    const last = await resume(small, output, "--epochs", "5");
    assert.match(
      last.stdout,
      /^Note: the best weights, of epoch 1, are not here any more; those that .* best so far: 12\.50 %$/m,
    );
    assert.match(last.stdout, /^Best: 12\.50 % in epoch 4; weights in /m);
    assert.equal((await bestOf(output)).best_epoch, 4);
  });
});

Deno.test("flags of the loss, the images and the rate do what they say", async () => {
  await withCifar(async (small, folder) => {
    const rows = async (name: string, ...flags: string[]) => {
      const output = join(folder, name);
      const schedule = ["--scheduler", "cosine", "--warmup-epochs", "0", "--lr", "0.01", "--epochs", "3"];
      const { code, stderr } = await run(...small, ...schedule, ...flags, "--output", output);
      assert.equal(code, 0, stderr);
      const columns = (await Deno.readTextFile(join(output, "log.csv"))).split("\n", 1)[0]!.split(",");
      return (await rowsOf(output)).map((row) =>
        Object.fromEntries(row.split(",").map((value, i) => [columns[i]!, Number(value)]))
      );
    };
    const plain = await rows("plain");
    const smoothed = await rows("smoothed", "--label-smoothing", "1");
    // Every class is as right as any other: no loss is below that of guessing.
    assert.ok(smoothed.every(({ train_loss }) => train_loss! >= Math.log(10)), JSON.stringify(smoothed));
    assert.ok(plain.some(({ train_loss }) => train_loss! < Math.log(10)), JSON.stringify(plain));
    const jittered = await rows("jittered", "--color-jitter", "0.4");
    assert.notEqual(jittered[0]!.train_loss, plain[0]!.train_loss);
    const slow = await rows("slow", "--min-lr", "0.005");
    const rates = (from: typeof plain) => from.map(({ lr }) => Number(lr!.toPrecision(4)));
    assert.deepEqual(rates(plain), [0.01, 0.0075, 0.0025]);
    assert.deepEqual(rates(slow), [0.01, 0.00875, 0.00625]);
  });
});

Deno.test("--early-stop alone waits for ten epochs", async () => {
  await withCifar(async (small, folder) => {
    const still = ["--lr", "1e-12", "--scheduler", "constant", "--weight-decay", "0", "--epochs", "30"];
    // Without batch norm's running statistics nothing moves.
    const net = join(folder, "still.ts");
    await Deno.writeTextFile(net, NET.replace("new nn.BatchNorm2d(8),", ""));
    const model = [...small.slice(2), "--model", net];
    const first = await run(...model, ...still, "--early-stop", "--output", join(folder, "run"));
    assert.equal(first.code, 0, first.stderr);
    assert.match(first.stdout, /^No epoch of the last 10 was better: stopped early\.$/m);
    assert.match(first.stdout, /^Go on with: .* --patience 20$/m);
    assert.equal((await rowsOf(join(folder, "run"))).length, 11);
  });
});
