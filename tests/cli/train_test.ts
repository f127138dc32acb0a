/** The train command as its user meets it: a process, its output, its exit code, its files. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { readSafetensors, writeSafetensors } from "../../core/format/safetensors.ts";

const root = new URL("../../", import.meta.url).pathname;

function command(args: readonly string[]): Deno.Command {
  return new Deno.Command(Deno.execPath(), {
    args: ["run", "-P", "train.ts", ...args],
    cwd: root,
    stdout: "piped",
    stderr: "piped",
    env: { NO_COLOR: "1" },
  });
}

async function run(...args: string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  const { code, stdout, stderr } = await command(args).output();
  const text = new TextDecoder();
  const warning = /^Warning Permissions in the config file.*\n/m;
  return { code, stdout: text.decode(stdout), stderr: text.decode(stderr).replace(warning, "") };
}

/** A network that takes no time, as a user's own. */
const NET = `
import * as nn from "${root}core/nn/mod.ts";
export default ({ num_classes = 10, in_channels = 3 } = {}) => new nn.Sequential(
  new nn.Conv2d(in_channels, 8, 3, { stride: 2, bias: false }),
  new nn.BatchNorm2d(8),
  new nn.ReLU(),
  new nn.AdaptiveAvgPool2d(1),
  new nn.Flatten(),
  new nn.Dropout(0.2),
  new nn.Linear(8, num_classes),
);
`;

/** 16 training and 8 test images in CIFAR-10's binary format: a run on them takes a second. */
async function withCifar(body: (small: readonly string[], folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    const data = join(folder, "data");
    await Deno.mkdir(data);
    for (const [name, count] of [["data_batch_1", 16], ["test_batch", 8]] as const) {
      const bytes = Uint8Array.from({ length: count * 3073 }, (_, i) => {
        const [record, at] = [Math.floor(i / 3073), i % 3073];
        return at === 0 ? record % 10 : (at * 7 + record * 31 + (at >> 5)) % 256;
      });
      await Deno.writeFile(join(data, `${name}.bin`), bytes);
    }
    const net = join(folder, "net.ts");
    await Deno.writeTextFile(net, NET);
    await body(
      ["--model", net, "--dataset", "cifar10", "--data", data, "--lr", "0.01", "--batch-size", "4"],
      folder,
    );
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
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
    [["--scheduler", "multistep"], /^error: --scheduler multistep needs --milestones/],
    [["--batch-size", "100000"], /^error: --batch-size 100000: digits has 1442 training images/],
    [
      ["--dataset", "cifar10", "--data", "/nowhere/cifar.tar.gz"],
      /^error: \/nowhere\/cifar\.tar\.gz: there is no such file/,
    ],
    [["--output", "/dev/null/run"], /^error: \/dev\/null\/run.* (cannot|choose)/],
  ];
  for (const [args, message] of cases) {
    const { code, stderr } = await run(...args);
    assert.match(stderr, message, args.join(" "));
    assert.equal(stderr.trimEnd().split("\n").length, 1, stderr);
    assert.equal(code, 2, args.join(" "));
  }
});

Deno.test("a batch larger than memory is refused with the largest that fits", async () => {
  await withCifar(async (_small, folder) => {
    const data = join(folder, "data");
    await Deno.writeFile(join(data, "data_batch_1.bin"), new Uint8Array(9000 * 3073));
    const settings = ["--model", "vgg16_cifar", "--dataset", "cifar10", "--data", data];
    const { code, stderr } = await run(...settings, "--batch-size", "9000");
    assert.match(
      stderr,
      /^error: --batch-size 9000: the run needs \d+\.\d\d GB of memory, 4\.29 GB can be had; use at most \d+\n$/,
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

    const files = [...Deno.readDirSync(output)].map(({ name }) => name).sort();
    assert.deepEqual(files, ["best.safetensors", "config.json", "last.safetensors", "log.csv"]);
    const config = JSON.parse(await Deno.readTextFile(join(output, "config.json")));
    assert.equal(config.epochs, 2);
    const log = (await Deno.readTextFile(join(output, "log.csv"))).trim().split("\n");
    assert.equal(log.length, 3);
    assert.match(log[0]!, /^epoch,train_loss,/);

    const tested = await run("--resume", output, "--evaluate-only");
    assert.equal(tested.stdout.match(accuracy)![0], first.stdout.match(accuracy)![0]);

    const again = await run(...small, "--output", output);
    assert.equal(again.code, 2);
    assert.match(again.stderr, /there is a run already; resume it with --resume/);

    const other = await run("--resume", output, "--model", "resnet50");
    assert.match(
      other.stderr,
      /^error: --model resnet50 does not go with --resume: that run has /,
    );

    const on = await run("--resume", output, "--epochs", "3");
    assert.equal(on.code, 0, on.stderr);
    assert.equal((await Deno.readTextFile(join(output, "log.csv"))).trim().split("\n").length, 4);
  });
});

Deno.test("Ctrl-C finishes the step and saves; going on gives the uninterrupted run's bytes", async () => {
  await withCifar(async (small, folder) => {
    const settings = [...small, "--epochs", "6", "--print-every", "1"];
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
      /Stopped in epoch \d+ after step \d+ of 4; nothing is lost\.\nGo on with: deno task train --resume /,
    );

    assert.equal((await run("--resume", cut)).code, 0);
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
    const refused = async (name: string, bytes: Uint8Array, message: RegExp) => {
      const path = join(folder, name);
      await Deno.writeFile(path, bytes);
      const { code, stderr } = await run("--resume", path, "--evaluate-only");
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
    await refused("strange.safetensors", writeSafetensors(tensors, {}), /not a checkpoint of a Strata run/);
    const others = new Map([...tensors].filter(([name]) => name !== "0.weight"));
    await refused(
      "other.safetensors",
      writeSafetensors(others, metadata),
      /of another network.*: 0\.weight is missing/,
    );
  });
});
