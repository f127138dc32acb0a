import assert from "node:assert/strict";
import { join } from "node:path";
import sharp from "sharp";
import { detect } from "../../cli/detect.ts";
import { colourOf } from "../../core/detect/overlay.ts";
import { parseYoloLabels } from "../../core/data/detection/yolo_labels.ts";
import { colourDetector, COLOURS } from "../support/colour_detector.ts";
import { assertClose } from "../support/close.ts";
import { put } from "../support/pictures.ts";
import { printed } from "../support/printed.ts";
import { smallNet } from "../support/tiny_run.ts";
import { namesIn, withFolder } from "../support/temp_folder.ts";

const loose = { sanitizeOps: false, sanitizeResources: false };

/** Black, with a red quarter at the left top and a darker blue one at the right bottom, in the given format. */
async function quarters(width: number, height: number, format: "png" | "jpeg"): Promise<Uint8Array> {
  const part = { width: width / 2, height: height / 2, channels: 3 as const };
  const flat = (background: string) => sharp({ create: { ...part, background } }).png().toBuffer();
  const sheet = sharp({ create: { width, height, channels: 3, background: "#000" } }).composite([
    { input: await flat("#ff0000"), left: 0, top: 0 },
    { input: await flat("#0000cc"), left: width / 2, top: height / 2 },
  ]);
  return new Uint8Array(await sheet.toFormat(format, { quality: 100 }).toBuffer());
}

/** Weights that say what they are of, as a run's do. */
async function withDetector(
  body: (at: At) => Promise<void>,
): Promise<void> {
  await withFolder(async (folder) => {
    const net = join(folder, "net.ts");
    const config = { classes: COLOURS, shape: [3, 64, 64], normalize: { mean: [0, 0, 0], std: [1, 1, 1] } };
    const made = await colourDetector(folder, {
      "strata.model": net,
      "strata.config": JSON.stringify(config),
    });
    const photos = join(folder, "photos");
    await put(join(photos, "a.png"), await quarters(200, 120, "png"));
    await put(join(photos, "b", "A.jpg"), await quarters(96, 96, "jpeg"));
    const cwd = Deno.cwd();
    Deno.chdir(folder);
    try {
      const by = ["--weights", made.weights, "--model", net];
      await body({ folder, photos: "photos", by, ...made });
    } finally {
      Deno.chdir(cwd);
    }
  });
}

Deno.test("detect", loose, (t) =>
  withDetector(async (at) => {
    await t.step("each image has its line, and a picture in a folder that is new", () => pictures(at));
    await t.step("label files and crops can be trained on", () => labelsAndCrops(at));
    await t.step("JSON, and nothing else", () => json(at));
    await t.step("thresholds, and the most boxes", () => thresholds(at));
    await t.step("a photograph taken sideways is answered and drawn upright", () => sideways(at));
    await t.step("plain weights take their network, names and normalisation from flags", () => plain(at));
    await t.step("files that are no images are named and counted; the others are answered", () => damage(at));
    await t.step("each mistake has its line", () => mistakes(at));
  }));

interface At {
  readonly folder: string;
  readonly weights: string;
  readonly net: string;
  /** Flags that name the weights, and the network that they say they are of: no file may name code. */
  readonly by: readonly string[];
  readonly photos: string;
}

async function pictures({ by, photos }: At): Promise<void> {
  const first = await printed(detect, photos, ...by, "--threads", "2");
  assert.equal(first.code, 0, first.err);
  const [a, b] = ["detected/a.png", "detected/A-2.jpg"];
  assert.deepEqual(first.out.split("\n"), [
    `photos/a.png: red 0.99, blue 0.63 (${a})`,
    `photos/b/A.jpg: red 0.97, blue 0.62 (${b})`,
  ]);
  assert.deepEqual(namesIn("detected"), ["A-2.jpg", "a.png"]);
  const { data, info } = await sharp(a).raw().toBuffer({ resolveWithObject: true });
  assert.deepEqual([info.width, info.height, info.channels], [200, 120, 3]);
  const pixel = (x: number, y: number) => [...data.subarray((y * 200 + x) * 3, (y * 200 + x) * 3 + 3)];
  const fill = (label: number) => [1, 3, 5].map((i) => parseInt(colourOf(label).fill.slice(i, i + 2), 16));
  // Lines begin at tenths of pixels.
  assertClose(pixel(99, 40), fill(0), 12, "the red box's right edge");
  assertClose(pixel(100, 90), fill(1), 12, "the blue box's left edge");
  assert.deepEqual(pixel(50, 40), [255, 0, 0], "the inside");
  assert.deepEqual(pixel(150, 30), [0, 0, 0], "the outside");
  // Once more: the next folder, and the first one stays.
  const before = await Deno.readFile(a);
  const again = await printed(detect, "photos/a.png", ...by);
  assert.match(again.out, /\(detected-2\/a\.png\)$/);
  assert.deepEqual(await Deno.readFile(a), before);
}

async function labelsAndCrops({ by, photos }: At): Promise<void> {
  const output = "found";
  const flags = [...by, "--output", output, "--save-txt", "--crop", "--no-pictures"];
  const { out } = await printed(detect, `${photos}/*.png`, ...flags);
  assert.equal(out, "photos/a.png: red 0.99, blue 0.63");
  assert.deepEqual(namesIn(output), ["classes.txt", "crops", "labels"]);
  assert.equal(await Deno.readTextFile(join(output, "classes.txt")), "red\nblue\n");
  const labels = await Deno.readTextFile(join(output, "labels", "a.txt"));
  assert.match(labels, /^0 0\.25 0\.25 0\.5 0\.5 0\.98\d+\n1 0\.75 0\.75 0\.5 0\.5 0\.63\d+\n$/);
  assert.deepEqual(parseYoloLabels(labels, "a.txt").map(({ label }) => label), [0, 1]);
  assert.deepEqual(namesIn(join(output, "crops")), ["blue", "red"]);
  const { data, info } = await sharp(join(output, "crops", "blue", "a-2.png")).raw()
    .toBuffer({ resolveWithObject: true });
  assert.deepEqual([info.width, info.height], [100, 60]);
  assert.ok(data.every((byte, i) => byte === [0, 0, 204][i % 3]));
}

async function json({ weights, by, photos }: At): Promise<void> {
  const said = JSON.parse(
    (await printed(detect, photos, ...by, "--json", "--output", "j")).out,
  );
  assert.deepEqual([said.model, said.weights, said.conf, said.iou, said.max_det, said.damaged], [
    "net",
    weights,
    0.2,
    0.4,
    100,
    [],
  ]);
  const [first, second] = said.images[0].detections;
  assert.deepEqual(said.images[0], {
    file: "photos/a.png",
    width: 200,
    height: 120,
    picture: "j/a.png",
    detections: [
      { class: "red", index: 0, confidence: first.confidence, box: [0, 0, 100, 60] },
      {
        class: "blue",
        index: 1,
        confidence: second.confidence,
        box: [100, 60, 200, 120],
      },
    ],
  });
  const folders = namesIn(".");
  await printed(detect, photos, ...by, "--json", "--no-pictures");
  assert.deepEqual(namesIn("."), folders);
}

async function thresholds({ by }: At): Promise<void> {
  const found = async (...flags: string[]) =>
    (await printed(detect, "photos/a.png", ...by, "--no-pictures", ...flags)).out.slice(14);
  assert.equal(await found("--conf", "0.7"), "red 0.99");
  assert.equal(await found("--max-det", "1"), "red 0.99");
  assert.equal(await found("--conf", "1"), "nothing found");
}

async function sideways({ by }: At): Promise<void> {
  // Turned a quarter to the right when shown: the red quarter comes to the right top.
  const turned = await sharp(await quarters(200, 120, "jpeg")).withMetadata({ orientation: 6 }).toBuffer();
  const file = await put("turned.jpg", new Uint8Array(turned));
  const flags = [...by, "--json", "--output", "up", "--crop", "--save-txt"];
  const { images: [{ width, height, detections }] } = JSON.parse(
    (await printed(detect, file, ...flags)).out,
  );
  assert.deepEqual([width, height], [120, 200]);
  assert.deepEqual(detections.map(({ box }: { box: number[] }) => box), [[60, 0, 120, 100], [
    0,
    100,
    60,
    200,
  ]]);
  const drawn = await sharp("up/turned.jpg").metadata();
  assert.deepEqual([drawn.width, drawn.height, drawn.orientation], [120, 200, undefined]);
  assert.match(await Deno.readTextFile("up/labels/turned.txt"), /^0 0\.75 0\.25 0\.5 0\.5 /);
  const { data, info } = await sharp("up/crops/red/turned-1.jpg").raw().toBuffer({ resolveWithObject: true });
  assert.deepEqual([info.width, info.height], [60, 100]);
  const middle = 3 * (50 * 60 + 30);
  assert.ok(data[middle]! > 240 && data[middle + 1]! < 15 && data[middle + 2]! < 15);
}

async function plain({ folder, net }: At): Promise<void> {
  const other = join(folder, "plain");
  await Deno.mkdir(other);
  const { weights } = await colourDetector(other);
  const names = await put("names.txt", "rot\nblau\n");
  const own = ["photos/a.png", "--weights", weights, "--no-pictures"];
  const given = [...own, "--model", net, "--mean", "0", "--std", "1"];
  assert.equal((await printed(detect, ...given)).out, "photos/a.png: class 0 0.99, class 1 0.63");
  assert.equal(
    (await printed(detect, ...given, "--classes", names)).out,
    "photos/a.png: rot 0.99, blau 0.63",
  );
  await assert.rejects(detect(own), /it does not say which network its weights are of: name it with --model/);
  await put("names.txt", "rot\n");
  await assert.rejects(detect([...given, "--classes", names]), /names\.txt: 1 lines, and .* has 2 classes/);
}

async function damage({ by, photos }: At): Promise<void> {
  const bad = await put(join(photos, "bad.jpg"), "no image");
  // An SVG could name other files.
  const svg = await put(
    join(photos, "svg.jpg"),
    '<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>',
  );
  const { code, out, err } = await printed(detect, photos, ...by, "--json", "--no-pictures");
  assert.equal(code, 4);
  assert.match(err, /^Note: .*bad\.jpg: cannot be decoded \(.*\)$/m);
  assert.match(err, /^Note: .*svg\.jpg: cannot be decoded \(svg is no format of photographs\)$/m);
  assert.match(err, /^2 of 4 files could not be decoded$/m);
  const { images, damaged } = JSON.parse(out);
  assert.deepEqual([images.length, damaged.map(({ file }: { file: string }) => file)], [2, [bad, svg]]);
  const only = await printed(detect, bad, ...by, "--output", "none");
  assert.deepEqual([only.code, only.out], [4, ""]);
}

async function mistakes({ by, weights, photos, folder }: At): Promise<void> {
  const classifier = join(folder, "classifier");
  await Deno.mkdir(classifier);
  const net = await smallNet(classifier);
  await put("full/mine.txt", "my own");
  await put("empty/readme.txt", "no image");
  const cases: [args: string[], message: RegExp][] = [
    [[photos], /detect needs --weights/],
    [[...by], /detect needs images/],
    [[...by, "none.jpg"], /none\.jpg: there is no such file or folder/],
    [[...by, "empty"], /empty: there are no images in this folder/],
    [[...by, "photos/*.gif"], /photos\/\*\.gif: no image has such a name/],
    [["--weights", "nothing", photos], /nothing: there is no such file or folder/],
    [[...by, photos, "--conf", "1.5"], /--conf must be a number of 0 or more and at most 1, not "1\.5"/],
    [[...by, photos, "--iou", "-1"], /--iou must be a number of 0 or more and at most 1, not "-1"/],
    [[...by, photos, "--iou=-1"], /--iou must be a number of 0 or more and at most 1, not "-1"/],
    [[...by, photos, "--max-det", "0"], /--max-det must be a whole number of 1 or more, not "0"/],
    [[...by, photos, "--output", "full"], /--output full: is not empty, and nothing there is written over/],
    [[...by, photos, "--output", "photos/a.png"], /--output photos\/a\.png: is not empty|not a folder/],
    [[...by, photos, "--output", "o", "--no-pictures"], /--output has no effect with --no-pictures/],
    [["--weights", weights, photos, "--model", net], /net\.ts is no detector: .*; see deno task predict/],
    [["--weights", weights, photos, "--model", "resnet20"], /resnet20 is no detector/],
    [["--weights", weights, photos, "--model", "yolov1"], /weights of another network/],
    [[...by, photos, "--savetxt"], /--savetxt is no flag: did you mean --save-txt\?/],
  ];
  const before = namesIn(".");
  for (const [args, message] of cases) await assert.rejects(detect(args), message, args.join(" "));
  assert.deepEqual(namesIn("."), before);
  assert.equal(await Deno.readTextFile("full/mine.txt"), "my own");
}
