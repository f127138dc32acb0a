import assert from "node:assert/strict";
import { join } from "node:path";
import sharp from "sharp";
import { preview } from "../../cli/preview.ts";
import { boxPictures, writeVoc } from "../support/boxes.ts";
import { photograph, put } from "../support/pictures.ts";
import { namesIn, withFolder } from "../support/temp_folder.ts";

const loose = { sanitizeOps: false, sanitizeResources: false };

/** Runs the command without its output. */
async function quietly(args: string[]): Promise<string[]> {
  const lines: string[] = [];
  const { log } = console;
  console.log = (line: string) => lines.push(line);
  try {
    assert.equal(await preview(args), 0);
  } finally {
    console.log = log;
  }
  return lines;
}

Deno.test(
  "preview: a picture with a row an image, a column an epoch, and the class beside it",
  loose,
  () =>
    withFolder(async (folder) => {
      const output = join(folder, "sheet.png");
      const lines = await quietly(["--count", "3", "--epochs", "2", "--output", output]);
      assert.deepEqual(lines, [`${output}: 3 of 1442 training images of digits`]);
      const { data, info } = await sharp(output).greyscale().raw().toBuffer({ resolveWithObject: true });
      // Digits of 32×32 are shown three times as large, with gaps of 6.
      assert.equal(info.height, 26 + 3 * 102);
      const left = info.width - 3 * 102;
      assert.ok(left >= 16 && left < 40);
      const isDark = (x0: number, x1: number, y0: number, y1: number) => {
        for (let y = y0; y < y1; y++) {
          for (let x = x0; x < x1; x++) if (data[y * info.width + x]! < 100) return true;
        }
        return false;
      };
      assert.ok(isDark(left, info.width, 0, 24), "headings");
      for (let row = 0; row < 3; row++) {
        assert.ok(isDark(0, left, 26 + row * 102, 26 + (row + 1) * 102), "a label");
      }
    }),
);

Deno.test("preview: of a folder of photographs", loose, () =>
  withFolder(async (folder) => {
    for (const name of ["bees & wasps", "ants"]) {
      for (let i = 0; i < 3; i++) {
        await put(join(folder, "data", name, `${i}.jpg`), await photograph(20 * i, 99, 30));
      }
    }
    const output = join(folder, "sheet.png");
    const small = ["--input", "3x48x48", "--rand-augment", "on", "--random-erase", "1", "--count", "2"];
    const lines = await quietly(["--data", join(folder, "data"), "--output", output, ...small]);
    assert.match(lines[0]!, /^Note: no folder to test on/);
    assert.match(lines[1]!, /sheet\.png: 2 of 4 training images of data$/);
    assert.equal((await sharp(output).metadata()).format, "png");
    // What a configuration says counts, and flags more.
    const config = await put(
      join(folder, "c.json"),
      '{ "no_aug": true, "input": [3, 32, 32], "epochs": 900 }',
    );
    const drawn = async (...args: string[]) => {
      await quietly(["--data", join(folder, "data"), "--output", output, ...args]);
      return await Deno.readFile(output);
    };
    const plain = ["--no-aug", "--input"];
    assert.deepEqual(await drawn("--config", config), await drawn(...plain, "3x32x32"));
    assert.deepEqual(
      await drawn("--config", config, "--input", "3x48x48"),
      await drawn(...plain, "3x48x48"),
    );
    // Of a data set that a configuration names nothing is put among them.
    const cifar = await put(join(folder, "cifar.json"), '{ "dataset": "cifar10", "input": [3, 32, 32] }');
    const before32 = await drawn("--input", "3x32x32");
    assert.deepEqual(await drawn("--config", cifar), before32);
    assert.deepEqual(namesIn(join(folder, "data")), ["ants", "bees & wasps"]);
    // Two lines below each image say who is mixed with whom.
    const mix = ["--input", "3x48x48", "--count", "3", "--epochs", "2"];
    const before = await sharp(await drawn(...mix)).metadata();
    const after = await sharp(await drawn(...mix, "--mixup", "1", "--cutmix", "1")).metadata();
    assert.deepEqual([after.width, after.height], [before.width, before.height! + 3 * 2 * 17]);
    await assert.rejects(
      preview(["--model", "yolov1", "--data", folder, "--mixup", "1"]),
      /^UserError: --mixup has no effect with --dataset boxes: it is for classifiers$/,
    );
    await assert.rejects(preview(["--recipe", "nothing"]), /--recipe nothing: there is none of that name/);
    await assert.rejects(preview(["--output", "sheet.jpg"]), /--output sheet\.jpg: must end in \.png$/);
  }));

Deno.test(
  "preview: an image that cannot be decoded has no row, since another would be under its boxes",
  loose,
  () =>
    withFolder(async (folder) => {
      const data = join(folder, "data"), output = join(folder, "sheet.png");
      await writeVoc(data, boxPictures(5), { train: [0, 1, 2, 3], val: [4] });
      for (const name of [1, 2]) {
        const file = join(data, "JPEGImages", `${name}.png`);
        await put(file, (await Deno.readFile(file)).subarray(0, 90));
      }
      const args = ["--model", "yolov1", "--data", data, "--epochs", "2", "--output", output];
      const rows = async (...more: string[]) => {
        const last = (await quietly([...args, ...more])).at(-1);
        const { height } = await sharp(output).metadata();
        return [last, (height - 26) / (448 + 6)];
      };
      assert.deepEqual(await rows(), [`${output}: 2 of 4 training images of data`, 2]);
      // Whichever comes first, others take the places of those that are left out.
      assert.deepEqual(await rows("--count", "2"), [`${output}: 2 of 4 training images of data`, 2]);
      for (const name of [0, 3]) {
        const file = join(data, "JPEGImages", `${name}.png`);
        await put(file, (await Deno.readFile(file)).subarray(0, 90));
      }
      await assert.rejects(quietly(args), /^UserError: data: no training image can be decoded$/);
    }),
);

Deno.test("preview: a picture that is too large to be drawn is refused in one line", loose, async () => {
  const large = ["--input", "3x448x448", "--count", "64", "--epochs", "24"];
  await assert.rejects(
    quietly(large),
    /^UserError: --count 64 and --epochs 24 of 3×448×448: a picture has at most 268 million pixels; lower them, or --input$/,
  );
});
