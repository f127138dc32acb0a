/** `train`, `preview` and `compare` on images with boxes, as their user meets them. */
import assert from "node:assert/strict";
import { join } from "node:path";
import sharp from "sharp";
import { compare } from "../../cli/compare.ts";
import { preview } from "../../cli/preview.ts";
import { train } from "../../cli/train.ts";
import { readSafetensors } from "../../core/format/safetensors.ts";
import { parseLog } from "../../core/metrics/log.ts";
import { boxPictures, writeVoc } from "../support/boxes.ts";
import { photograph, put } from "../support/pictures.ts";
import { printed } from "../support/printed.ts";
import { withFolder } from "../support/temp_folder.ts";

const loose = { sanitizeOps: false, sanitizeResources: false };
const root = new URL("../../", import.meta.url).pathname;

/** A detector that takes no time, as a user's own, on a body that a classifier has, too. */
const NET = (kind: "detector" | "classifier") => `
import * as nn from "${root}core/nn/mod.ts";
export const input = [3, 32, 32];
class Body extends nn.Module {
  features = new nn.Sequential(new nn.Conv2d(3, 8, 3, { stride: 2, padding: 1 }), new nn.BatchNorm2d(8), new nn.ReLU(),
    new nn.MaxPool2d(4));
  forward(x) { return this.features.forward(x); }
}
class Detector extends nn.Module {
  body = "backbone";
  backbone = new Body();
  constructor({ num_classes = 20 } = {}) {
    super();
    this.map = { split_size: 4, num_boxes: 2, num_classes };
    this.head = new nn.Conv2d(8, num_classes + 10, 1);
  }
  forward(x) { return nn.flattenChannelsLast(this.head.forward(this.backbone.forward(x))); }
}
class Classifier extends Body {
  constructor({ num_classes = 10 } = {}) {
    super();
    this.fc = new nn.Linear(8 * 16, num_classes);
  }
  forward(x) { return this.fc.forward(nn.flatten(super.forward(x))); }
}
export default (options) => new ${kind === "detector" ? "Detector" : "Classifier"}(options);
`;

async function withBoxes(
  body: (small: readonly string[], folder: string) => Promise<void>,
): Promise<void> {
  await withFolder(async (folder) => {
    const data = join(folder, "data");
    await writeVoc(data, boxPictures(10));
    const net = join(folder, "net.ts");
    await Deno.writeTextFile(net, NET("detector"));
    const small = ["--model", net, "--data", data, "--batch-size", "4", "--threads", "2", "--workers", "1"];
    await body(small, folder);
  });
}

const bytesOf = async (path: string) => {
  const { tensors } = readSafetensors(await Deno.readFile(path));
  return new Map([...tensors].map(([name, { data }]) => {
    return [name, new Uint8Array(data.buffer, data.byteOffset, data.byteLength).toHex()];
  }));
};

Deno.test(
  "a detector's run: its lines, its folder, and the same bits where it is resumed",
  loose,
  () =>
    withBoxes(async (small, folder) => {
      const whole = join(folder, "whole"), cut = join(folder, "cut");
      const done = await printed(train, ...small, "--epochs", "3", "--output", whole);
      assert.equal(done.code, 0, done.err);
      assert.match(done.out, /^Note: 2 of 10 images, drawn by seed 0, are held back/m);
      assert.match(done.out, /^3 epochs of 2 steps of 4 images; sgd, lr \S+ \(yolo\)/m);
      const number = "\\d+\\.\\d{4}";
      const parts =
        `\\(xy ${number}, wh ${number}, object ${number}, no object ${number}, class ${number}\\)`;
      assert.match(done.out, new RegExp(`^Epoch \\[1/3\\], Step \\[2/2\\] Loss: ${number} ${parts}$`, "m"));
      assert.match(done.out, new RegExp(`test: loss ${number} ${parts}, mAP@0\\.5 \\d+\\.\\d\\d %`));
      assert.match(done.out, /^mAP@0\.5 of the model on the test images: \d+\.\d\d %$/m);
      assert.match(done.out, /^Best: mAP@0\.5 \d+\.\d\d % in epoch \d; weights in/m);

      const log = await Deno.readTextFile(join(whole, "log.csv"));
      assert.match(log, /^epoch,train_loss,train_xy,.*,test_map50,test_map50_95,/);
      assert.ok(!log.includes("accuracy"));
      const rows = parseLog(log, "log.csv");
      assert.equal(rows.length, 3);
      for (const row of rows) {
        const sum = row.train_xy! + row.train_wh! + row.train_object! + row.train_noobject! +
          row.train_class!;
        assert.ok(Math.abs(sum - row.train_loss!) < 1e-4 * row.train_loss!);
      }
      const names = [...Deno.readDirSync(whole)].map(({ name }) => name);
      for (const name of ["curves.svg", "precision_recall.svg", "examples.png", "best.safetensors"]) {
        assert.ok(names.includes(name), `${name} of ${names}`);
      }
      assert.match(await Deno.readTextFile(join(whole, "curves.svg")), /mAP@0\.5–0\.95/);

      const quiet = ["--no-pictures", "--output", cut];
      assert.equal((await printed(train, ...small, "--epochs", "3", "--max-steps", "3", ...quiet)).code, 0);
      const own = small.slice(0, 2);
      assert.equal(
        (await printed(train, "--resume", cut, ...own, "--max-steps", "0", "--no-pictures")).code,
        0,
      );
      const last = "last.safetensors";
      assert.deepEqual(await bytesOf(join(cut, last)), await bytesOf(join(whole, last)));

      const tested = await printed(train, "--resume", join(whole, last), ...own, "--evaluate-only");
      const line = /^mAP@0\.5 of the model.*$/m;
      assert.equal(line.exec(tested.out)?.[0], line.exec(done.out)?.[0]);
      const { out } = await printed(compare, whole, cut);
      assert.match(out, /best test mAP@0\.5/);
    }),
);

Deno.test(
  "all that a classifier's training has: trials, few images, averages, the best of several",
  loose,
  () =>
    withBoxes(async (small, folder) => {
      const run = (...args: string[]) => printed(train, ...small, "--no-pictures", ...args);
      const tried = await run("--dry-run");
      assert.match(tried.out, /All parts work; nothing was kept/);
      const found = await run("--lr-find", "--output", join(folder, "find"));
      assert.match(found.out, /rates from 1e-7 up/);
      const few = join(folder, "few");
      const same = await run(
        "--overfit-batches",
        "2",
        "--epochs",
        "2",
        "--ema",
        "--clip-grad",
        "5",
        "--output",
        few,
      );
      assert.equal(same.code, 0, same.err);
      assert.match(same.out, /^data: 8 training and 8 test images/m);
      const top = join(folder, "top");
      const best = ["--save-top-k", "2", "--accumulate", "2", "--epochs", "3", "--patience", "2"];
      assert.equal((await run(...best, "--output", top)).code, 0);
      const kept = [...Deno.readDirSync(top)].map(({ name }) => name).filter((name) => /^best-\d/.test(name));
      assert.ok(kept.length > 0 && kept.length <= 2, `${kept}`);
      const { out } = await run("--print-config");
      const { dataset, scheduler, jitter, lambda_coord } = JSON.parse(out);
      assert.deepEqual([dataset, scheduler, jitter, lambda_coord], ["boxes", "yolo", 0.2, 5]);
    }),
);

Deno.test(
  "a classifier's weights become the body of a detector, and the head begins anew",
  loose,
  () =>
    withBoxes(async (small, folder) => {
      const classifier = join(folder, "classifier.ts"), run = join(folder, "run");
      await Deno.writeTextFile(classifier, NET("classifier"));
      const taught = ["--model", classifier, "--epochs", "1", "--limit-batches", "1", "--no-pictures"];
      assert.equal((await printed(train, ...taught, "--input", "3x32x32", "--output", run)).code, 0);
      const weights = join(run, "best.safetensors");
      const output = join(folder, "detector");
      const made = await printed(
        train,
        ...small,
        ...[
          "--pretrained",
          weights,
          "--freeze",
          "backbone",
          "--epochs",
          "1",
          "--no-pictures",
          "--output",
          output,
        ],
      );
      assert.equal(made.code, 0, made.err);
      assert.match(made.out, /; 2 begin anew: head\.weight, head\.bias$/m);
      const [before, after] = [await bytesOf(weights), await bytesOf(join(output, "best.safetensors"))];
      const name = "features.0.weight";
      assert.deepEqual(after.get(`backbone.${name}`), before.get(name));
    }),
);

Deno.test(
  "preview shows the boxes on varied images",
  loose,
  () =>
    withBoxes(async ([, net, , data], folder) => {
      const output = join(folder, "sheet.png");
      const args = ["--model", net!, "--data", data!, "--count", "2", "--epochs", "2", "--output", output];
      const { out } = await printed(preview, ...args);
      assert.match(out, /sheet\.png: 2 of 8 training images of data$/);
      const plain = join(folder, "plain.png");
      await printed(preview, ...args.slice(0, -1), plain, "--no-aug");
      const shown = async (path: string) => await sharp(path).removeAlpha().raw().toBuffer();
      const [varied, same] = [await shown(output), await shown(plain)];
      assert.notDeepEqual(varied, same);
      // Frames are drawn on all of them: their colours are in neither pictures nor background.
      const { width, height } = await sharp(plain).metadata();
      const isFrame = (at: number) => Math.abs(same[at]! - same[at + 1]!) > 60 && same[at + 2]! < 40;
      const columns = Array.from({ length: 3 }, (_, i) => width - (3 - i) * 102);
      for (const left of columns) {
        let found = 0;
        for (let y = 26; y < height; y++) {
          for (let x = left; x < left + 96; x++) if (isFrame((y * width + x) * 3)) found++;
        }
        assert.ok(found > 40, `${found} pixels of frames at ${left}`);
      }
    }),
);

Deno.test(
  "networks and data that are not for each other have one line",
  loose,
  () =>
    withBoxes(async (small, folder) => {
      const photos = join(folder, "photos");
      for (const name of ["ants", "bees"]) {
        await put(join(photos, name, "1.jpg"), await photograph(3, 60, 40));
      }
      const empty = join(folder, "empty");
      await Deno.mkdir(empty);
      const [, net, , data] = small;
      const cases: [args: string[], message: RegExp][] = [
        [
          ["--model", "resnet18", "--data", data!],
          /has PASCAL VOC's annotations, so .* such as --model yolov1/,
        ],
        [
          ["--model", "yolov1", "--data", photos],
          /there are no annotations: .*a folder for each class is for class/,
        ],
        [["--model", "yolov1", "--data", empty], /there are no annotations/],
        [["--model", "resnet18", "--data", empty], /there are no folders with images/],
        [["--model", "yolov1"], /^UserError: yolov1 needs --data, a folder of images with boxes/],
        [["--model", "yolov1", "--dataset", "digits"], /--dataset digits: yolov1 finds boxes/],
        [["--model", "resnet18", "--dataset", "boxes", "--data", data!], /resnet18 is a classifier/],
        [[...small, "--mixup", "0.2"], /--mixup has no effect with --dataset boxes: it is for classifiers/],
        [[...small, "--crop-padding", "2"], /--crop-padding has no effect .* --jitter, --exposure/],
        [["--jitter", "0.1"], /--jitter has no effect with --dataset digits: it is for detectors/],
        [["--lambda-coord", "1"], /--lambda-coord has no effect with --dataset digits/],
        [
          ["--model", "yolov1", "--data", data!, "--input", "3x100x100"],
          /a multiple of 64 pixels, not 100×100/,
        ],
        [
          ["--model", net!, "--data", data!, "--batch-size", "9"],
          /--batch-size 9: data has 8 training images/,
        ],
      ];
      for (const [args, message] of cases) {
        await assert.rejects(
          () => printed(train, ...args, "--output", join(folder, "none")),
          message,
          `${args}`,
        );
      }
    }),
);
