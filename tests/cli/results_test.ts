/** What comes of a run: its pictures, and the commands evaluate, predict and compare, as their user meets them. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { crc32c } from "../../core/tensorboard/record.ts";
import { photograph, put } from "../support/pictures.ts";
import { namesIn, withFolder } from "../support/temp_folder.ts";

const root = new URL("../../", import.meta.url).pathname;

async function run(
  file: string,
  ...args: string[]
): Promise<{ code: number; stdout: string; stderr: string }> {
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--no-check", join(root, file), ...args],
    stdout: "piped",
    stderr: "piped",
    env: { NO_COLOR: "1" },
  }).output();
  const text = new TextDecoder();
  return { code, stdout: text.decode(stdout), stderr: text.decode(stderr) };
}

/** Learns digits well enough to have mistakes and right answers. */
const NET = `
import * as nn from "${root}core/nn/mod.ts";
export default ({ num_classes = 10, in_channels = 3 } = {}) => new nn.Sequential(
  new nn.Conv2d(in_channels, 8, 3, { stride: 4, padding: 1, bias: false }),
  new nn.BatchNorm2d(8),
  new nn.ReLU(),
  new nn.Flatten(),
  new nn.Linear(512, num_classes),
);
`;

/** Records of a TensorBoard file, each with a right CRC. */
function records(bytes: Uint8Array): Uint8Array[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  const found: Uint8Array[] = [];
  for (let at = 0; at < bytes.length;) {
    const length = Number(view.getBigUint64(at, true));
    const data = bytes.subarray(at + 12, at + 12 + length);
    const crc = crc32c(data);
    assert.equal(view.getUint32(at + 12 + length, true), ((crc >>> 15 | crc << 17) + 0xa282ead8) >>> 0);
    found.push(data);
    at += 16 + length;
  }
  return found;
}

Deno.test("results of a run", async (t) => {
  await withFolder(async (folder) => {
    const net = await put(join(folder, "net.ts"), NET);
    const [one, two] = [join(folder, "one"), join(folder, "two")];
    let accuracy = "";

    await t.step("a run's folder has pictures, a table of classes and TensorBoard's file", async () => {
      const { stdout, stderr, code } = await run(
        "train.ts",
        "--model",
        net,
        "--epochs",
        "2",
        "--output",
        one,
      );
      assert.equal(code, 0, stderr);
      accuracy = /^Best: (\d+\.\d\d %)/m.exec(stdout)![1]!;
      const names = namesIn(one);
      const [events] = names.splice(names.findIndex((name) => name.startsWith("events.out.tfevents.")), 1);
      assert.deepEqual(names, [
        "best.safetensors",
        "classes.csv",
        "classes.svg",
        "config.json",
        "confusion.svg",
        "curves.svg",
        "last.safetensors",
        "log.csv",
        "mistakes.png",
      ]);
      for (const name of ["classes.svg", "confusion.svg", "curves.svg"]) {
        const svg = await Deno.readTextFile(join(one, name));
        assert.match(svg, /^<svg [^]*<\/svg>\s*$/);
        assert.ok(svg.includes(`>${name === "curves.svg" ? "train" : "7"}</text>`), name);
      }
      const png = await Deno.readFile(join(one, "mistakes.png"));
      assert.deepEqual([...png.subarray(1, 4)], [..."PNG"].map((letter) => letter.charCodeAt(0)));
      const [header, ...rows] = (await Deno.readTextFile(join(one, "classes.csv"))).trim().split("\n");
      assert.equal(header, "class,precision,recall,f1,support");
      assert.equal(rows.reduce((sum, row) => sum + Number(row.split(",")[4]), 0), 355);
      const log = await Deno.readTextFile(join(one, "log.csv"));
      assert.match(log, /^epoch,train_loss,train_accuracy,test_loss,test_accuracy,test_top5,lr,/);
      const decoded = records(await Deno.readFile(join(one, events!)))
        .map((record) => new TextDecoder().decode(record));
      for (const tag of ["brain.Event:2", "step/loss", "test/accuracy", "test/answers", "0.weight"]) {
        assert.ok(decoded.some((record) => record.includes(tag)), tag);
      }
    });

    await t.step("evaluate gives a run's best accuracy, with and without JSON, and draws", async () => {
      const output = join(folder, "evaluated");
      const { stdout, stderr } = await run("cli/evaluate.ts", one, "--output", output);
      assert.match(stdout, /^class +precision +recall +F1 +images$/m, stderr);
      assert.ok(stdout.endsWith(`Accuracy of the model on the test images: ${accuracy}\n`), stdout);
      assert.deepEqual(namesIn(output), ["classes.csv", "classes.svg", "confusion.svg", "mistakes.png"]);
      const { stdout: json } = await run("cli/evaluate.ts", one, "--output", output, "--json", "--tta");
      const figures = JSON.parse(json);
      assert.equal(figures.images, 355);
      assert.ok(figures.top5 >= figures.accuracy && figures.tta && figures.classes.length === 10);
    });

    await t.step(
      "predict answers for files, folders and patterns, and names what it cannot decode",
      async () => {
        const photos = join(folder, "photos");
        for (const name of ["a", "b"]) await put(join(photos, `${name}.jpg`), await photograph(200, 10, 30));
        await put(join(photos, "c.jpg"), "no image");
        const { stdout, stderr, code } = await run("cli/predict.ts", one, photos, "--json", "--top-k", "3");
        assert.equal(code, 1);
        assert.match(stderr, /c\.jpg: cannot be decoded[^]*1 of 3 files cannot be decoded/);
        const [a, , c] = JSON.parse(stdout);
        assert.equal(a.predictions.length, 3);
        assert.ok(a.predictions[0].probability >= a.predictions[1].probability);
        assert.ok("error" in c);
        const explained = join(folder, "explained");
        const csv = await run(
          ...["cli/predict.ts", one, join(photos, "[ab].jpg"), "--format", "csv", "--top-k", "1"] as const,
          ...["--explain", "--output", explained],
        );
        assert.equal(csv.code, 0, csv.stderr);
        assert.match(
          csv.stdout,
          /^file,rank,class,index,probability\n.*a\.jpg,1,\d,\d,0\.\d{6}\n.*b\.jpg,1,/,
        );
        assert.deepEqual(namesIn(explained), ["a-explained.png", "b-explained.png"]);
      },
    );

    await t.step("compare tells what differs between runs, and draws them", async () => {
      await run(
        "train.ts",
        "--model",
        net,
        "--epochs",
        "1",
        "--lr",
        "0.01",
        "--no-pictures",
        "--output",
        two,
      );
      assert.ok(!namesIn(two).some((name) => /svg|png|tfevents/.test(name)));
      const plot = join(folder, "compare.svg");
      const { stdout, stderr } = await run("cli/compare.ts", one, two, "--output", plot);
      assert.match(stdout, /^run +epochs +lr +epochs +best/m, stderr);
      assert.match(await Deno.readTextFile(plot), />two<\/text>/);
      const { stdout: json } = await run("cli/compare.ts", one, two, "--json");
      const [first, second] = JSON.parse(json);
      assert.deepEqual([first.settings.lr, second.settings.lr], [0.002, 0.01]);
      assert.deepEqual([first.epochs, second.epochs], [2, 1]);
    });

    await t.step("mistakes get one line and exit code 2", async () => {
      const cases: [args: string[], message: RegExp][] = [
        [["cli/evaluate.ts"], /^error: evaluate needs weights/],
        [["cli/evaluate.ts", "/nowhere"], /^error: \/nowhere: there is no such file or folder of weights/],
        [["cli/evaluate.ts", folder], /^error: .*: there is neither best\.safetensors nor/],
        [["cli/evaluate.ts", one, "--mean", "0.5"], /^error: --mean and --std go together/],
        [["cli/predict.ts", one], /^error: predict needs weights and pictures/],
        [["cli/predict.ts", one, "/nowhere.jpg"], /^error: \/nowhere\.jpg: there is no such file or folder/],
        [
          ["cli/predict.ts", one, net, "--classes", net],
          /^error: --classes .*: has \d+ names, and the network/,
        ],
        [["cli/compare.ts"], /^error: compare needs runs/],
        [["cli/compare.ts", folder], /^error: .*: no run: there is no config\.json in it/],
        [["cli/compare.ts", one, "--output", "x.png"], /^error: --output x\.png: must end in \.svg/],
      ];
      for (const [[file, ...args], message] of cases) {
        const { code, stderr } = await run(file!, ...args);
        assert.match(stderr, message);
        assert.equal(stderr.trimEnd().split("\n").length, 1, stderr);
        assert.equal(code, 2);
      }
    });
  });
});
