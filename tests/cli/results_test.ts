/** What comes of a run, as its user meets it. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { crc32c } from "../../core/tensorboard/record.ts";
import { put } from "../support/pictures.ts";
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
      assert.match(stdout, /^Best: \d+\.\d\d % /m);
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

    await t.step("a run that ends within its first epoch has pictures of its test", async () => {
      const output = join(folder, "short");
      const { code, stderr } = await run("train.ts", "--model", net, "--max-steps", "3", "--output", output);
      assert.equal(code, 0, stderr);
      for (const name of ["best.safetensors", "classes.csv", "confusion.svg", "mistakes.png"]) {
        assert.ok(namesIn(output).includes(name), name);
      }
      const svg = await Deno.readTextFile(join(output, "confusion.svg"));
      assert.ok(svg.includes(", epoch 1: 355 test images, "));
    });

    await t.step("a run whose loss blows up has the pictures of the epochs before", async () => {
      const output = join(folder, "blown");
      const wild = ["--scheduler", "step", "--step-size", "1", "--gamma", "1e30"];
      const { code, stderr } = await run("train.ts", "--model", net, "--output", output, ...wild);
      assert.equal(code, 3, stderr);
      for (const name of ["curves.svg", "confusion.svg", "mistakes.png"]) {
        assert.ok(namesIn(output).includes(name), name);
      }
    });

    await t.step("--no-pictures leaves them out", async () => {
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
    });
  });
});
