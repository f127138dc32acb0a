import assert from "node:assert/strict";
import { join } from "node:path";
import sharp from "sharp";
import { evaluate } from "../../cli/evaluate.ts";
import { predict } from "../../cli/predict.ts";
import { colourDetector, COLOURS } from "../support/colour_detector.ts";
import { printed } from "../support/printed.ts";
import { smallNet } from "../support/tiny_run.ts";
import { namesIn, withFolder } from "../support/temp_folder.ts";
import { writeFiles } from "../support/write_files.ts";

const loose = { sanitizeOps: false, sanitizeResources: false };

/** A black image with quarters of colours: the first two letters say which (left or right, top or bottom). */
async function picture(quarters: Readonly<Record<string, string>>): Promise<Uint8Array> {
  const side = 64;
  const flat = (background: string) =>
    sharp({ create: { width: side, height: side, channels: 3, background } }).png().toBuffer();
  const layers = await Promise.all(
    Object.entries(quarters).map(async ([place, colour]) => ({
      input: await flat(colour),
      left: place.startsWith("l") ? 0 : side,
      top: place.endsWith("t") ? 0 : side,
    })),
  );
  const sheet = sharp({ create: { width: 2 * side, height: 2 * side, channels: 3, background: "#000" } });
  return new Uint8Array(await sheet.composite(layers).png().toBuffer());
}

/** Two objects that are found, one that lies badly, one missed, and a red quarter that nobody labelled. */
async function writeData(folder: string): Promise<void> {
  await writeFiles(folder, {
    "classes.txt": "red\nblue\n",
    "val/images/a.png": await picture({ lt: "#ff0000", rb: "#0000ff" }),
    "val/labels/a.txt": "0 0.25 0.25 0.5 0.5\n1 0.75 0.75 0.5 0.5\n",
    "val/images/b.png": await picture({ lt: "#cc0000" }),
    "val/labels/b.txt": "",
    "val/images/c.png": await picture({}),
    "val/labels/c.txt": "1 0.25 0.25 0.5 0.5\n",
    "val/images/d.png": await picture({ rt: "#990000" }),
    "val/labels/d.txt": "0 0.75 0.4 0.5 0.8\n",
    "train/images/e.png": await picture({ lb: "#0000ff" }),
    "train/labels/e.txt": "1 0.25 0.75 0.5 0.5\n",
  });
}

Deno.test("evaluate: a detector", loose, (t) =>
  withFolder(async (folder) => {
    const data = join(folder, "data");
    await writeData(data);
    const { weights, net } = await colourDetector(folder, ofRun(folder, { data }));
    const at = { folder, data, weights, net, own: ["--model", net] };
    await t.step("its figures are those counted by hand, at any IoU", () => figures(at));
    await t.step("people get a table, and a folder of pictures", () => tables(at));
    await t.step("each mistake has its line", () => mistakes(at));
    await t.step("on other images, or any list of them", () => lists(at));
  }));

/** What the weights of a run say of it. */
function ofRun(folder: string, settings: Record<string, unknown>): Record<string, string> {
  const normalize = { mean: [0, 0, 0], std: [1, 1, 1] };
  const config = { dataset: "boxes", classes: COLOURS, shape: [3, 64, 64], normalize, ...settings };
  return { "strata.model": join(folder, "net.ts"), "strata.config": JSON.stringify(config) };
}

interface At {
  readonly folder: string;
  readonly data: string;
  readonly weights: string;
  readonly net: string;
  /** Names the network that the weights say they are of: no file may name code. */
  readonly own: readonly string[];
}

const near = (actual: number, expected: number) => assert.ok(Math.abs(actual - expected) < 1e-9, `${actual}`);

async function figures({ weights, own }: At): Promise<void> {
  const json = JSON.parse((await printed(evaluate, weights, ...own, "--json", "--threads", "2")).out);
  assert.deepEqual([json.model, json.dataset, json.images, json.iou], ["net", "data", 4, 0.5]);
  const [red, blue] = json.classes;
  // Of red: right, wrong, right. Of blue: right, and one never found.
  near(red.ap, (1 + 2 / 3) / 2);
  near(red.ap11, (6 + 5 * 2 / 3) / 11);
  near(blue.ap, 1 / 2);
  near(blue.ap11, 6 / 11);
  near(json.map, (red.ap + blue.ap) / 2);
  assert.equal(json.map50, json.map);
  // The box that lies badly has an IoU of 0.625.
  near(json.map50_95, (3 * json.map50 + 7 * 0.5) / 10);
  assert.deepEqual([red.objects, red.detections, blue.objects, blue.detections], [2, 3, 2, 1]);
  near(red.precision, 2 / 3);
  assert.equal(red.recall, 1);
  assert.equal(json.iou_histogram.bins.length, 20);
  assert.equal(json.iou_histogram.bins[12].count, 1);

  const strict = JSON.parse((await printed(evaluate, weights, ...own, "--json", "--iou", "0.7")).out);
  assert.deepEqual([strict.iou, strict.map, strict.map50], [0.7, 0.5, json.map50]);
}

async function tables({ weights, own, folder }: At): Promise<void> {
  const output = join(folder, "results");
  const { code, out } = await printed(evaluate, weights, ...own, "--output", output, "--batch-size", "3");
  assert.equal(code, 0);
  const lines = out.split("\n");
  assert.match(lines[0]!, /^net of .*colours\.safetensors on data: 4 images, 4 objects, 2 classes$/);
  assert.match(lines[2]!, /^Class +Objects +Detections +AP +AP11 +Precision +Recall +at score$/);
  assert.match(lines[3]!, /^red +2 +3 +83\.33 % +84\.85 % +66\.67 % +100\.00 % +0\.3\d$/);
  assert.match(lines[4]!, /^blue +2 +1 +50\.00 % +54\.55 % +100\.00 % +50\.00 % +0\.9\d$/);
  assert.equal(lines[5], "mAP@0.5: 66.67 % (by 11 points 69.70 %)");
  assert.equal(lines[6], "mAP@[.5:.95]: 55.00 %");
  assert.equal(lines.at(-1), "mAP@0.5 of the model on the test images: 66.67 %");
  assert.deepEqual(namesIn(output), [
    "classes.csv",
    "coco_annotations.json",
    "coco_results.json",
    "evaluation.json",
    "examples.png",
    "iou.svg",
    "mistakes.png",
    "precision_recall.svg",
  ]);
}

async function lists({ weights, own, data, folder }: At): Promise<void> {
  const told = async (...args: string[]) =>
    JSON.parse((await printed(evaluate, weights, ...own, "--json", ...args)).out);
  const train = await told("--split", "train");
  assert.deepEqual([train.images, train.map, train.classes[0].ap], [1, 1, null]);
  const limited = await colourDetector(folder, ofRun(folder, { data, limit_batches: 1, batch_size: 2 }));
  const some = await printed(evaluate, limited.weights, ...own, "--json");
  assert.equal(JSON.parse(some.out).images, 2);
  assert.match(some.err, /^Note: tests on 2 of 4 images, as the run did; --limit-batches 0 on all$/m);
  const whole = await printed(evaluate, limited.weights, ...own, "--json", "--limit-batches", "0");
  assert.equal(JSON.parse(whole.out).images, 4);
  const other = join(folder, "other");
  await Deno.rename(join(data, "train"), other);
  await writeFiles(other, { "classes.txt": "red\nblue\n" });
  const all = await told("--data", other);
  assert.deepEqual([all.dataset, all.images, all.map], ["other", 1, 1]);
  // A run that learnt images by heart is tested on them.
  const few = { data: other, overfit_batches: 1, batch_size: 1 };
  const learnt = await colourDetector(folder, ofRun(folder, few));
  const byHeart = await printed(evaluate, learnt.weights, ...own, "--json");
  assert.deepEqual([JSON.parse(byHeart.out).images, byHeart.err], [
    1,
    "Note: tests on the 1 images that the run learnt by heart (--overfit-batches)",
  ]);
  await colourDetector(folder, ofRun(folder, { data }));
  // An image that is cut short does not count.
  const file = join(data, "val", "images", "d.png");
  await Deno.truncate(file, (await Deno.stat(file)).size - 40);
  const output = join(folder, "without");
  const val = [weights, ...own, "--split", "val"];
  const { out, err } = await printed(evaluate, ...val, "--json", "--output", output);
  assert.match(err, /d\.png: cannot be decoded/);
  const { images, classes, damaged } = JSON.parse(out);
  assert.deepEqual([images, classes[0].objects], [3, 1]);
  assert.deepEqual(damaged.map((one: { file: string }) => one.file), [file]);
  await assert.rejects(evaluate([weights, ...own]), /data: no image to test on can be decoded/);
  const coco = JSON.parse(await Deno.readTextFile(join(output, "coco_annotations.json")));
  assert.deepEqual(coco.images.length, 3);
  await assert.rejects(evaluate([...val, "--bad-images", "fail"]), /d\.png: cannot be decoded/);
}

async function mistakes({ weights, own, folder, data, net }: At): Promise<void> {
  const bare = join(folder, "bare");
  await Deno.mkdir(bare);
  const plain = (await colourDetector(bare)).weights;
  const classifier = join(folder, "classifier");
  await Deno.mkdir(classifier);
  await writeFiles(folder, { "three.txt": "red\nblue\ngreen\n", "strange.txt": "cat\ndog\n" });
  const cases: [args: string[], message: RegExp][] = [
    [[plain], /it does not say which network/],
    [[plain, "--model", net], /it does not say what to test it on: name a folder with --data/],
    [[weights, ...own, "--data", join(folder, "none")], /--data .*none: there is no such folder/],
    [[weights, ...own, "--data", bare], /there are no annotations/],
    [[weights, ...own, "--dataset", "digits"], /--dataset digits: net finds boxes/],
    [
      [weights, ...own, "--split", "dev"],
      /--split dev: .* has no such list or folder of images; it has train, val$/,
    ],
    [[weights, ...own, "--classes", join(folder, "three.txt")], /3 lines, and .* has 2 classes/],
    [[weights, ...own, "--classes", join(folder, "strange.txt")], /there is no class blue, only cat, dog;/],
    [[weights, ...own, "--tta"], /--tta has no effect on net: it is for classifiers/],
    [
      [weights, ...own, "--val-resize-size", "70"],
      /--val-resize-size has no effect on .*: it is for classifiers/,
    ],
    [[weights, ...own, "--iou", "0"], /--iou must be a number above 0 and at most 1/],
    [[weights, ...own, "--iou", "1.1"], /--iou must be a number above 0 and at most 1/],
    [[weights, ...own, "--split", "val", "--val-split", "0.5"], /--split and --val-split: choose one/],
    [[weights, "--model", await smallNet(classifier)], /--dataset boxes: is for detectors/],
  ];
  for (const [args, message] of cases) await assert.rejects(evaluate(args), message, args.join(" "));
  await assert.rejects(
    predict([weights, data, ...own]),
    /net\.ts is no classifier: .*; see deno task detect/,
  );
}
