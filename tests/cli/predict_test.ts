import assert from "node:assert/strict";
import { join } from "node:path";
import sharp from "sharp";
import { predict } from "../../cli/predict.ts";
import { statIfThere } from "../../host/files.ts";
import { photograph, put, putOddFiles } from "../support/pictures.ts";
import { printed } from "../support/printed.ts";
import { smallNet, smallRun } from "../support/tiny_run.ts";
import { namesIn, withFolder } from "../support/temp_folder.ts";

const loose = { sanitizeOps: false, sanitizeResources: false };

/** A run on blue and red pictures, and some to ask about. */
async function withRun(body: (run: string, photos: string, folder: string) => Promise<void>): Promise<void> {
  await withFolder(async (folder) => {
    const data = join(folder, "data"), photos = join(folder, "photos");
    for (let i = 0; i < 4; i++) {
      await put(join(data, "blue", `${i}.jpg`), await photograph(20, 30, 180 + 5 * i));
      await put(join(data, "red, bright", `${i}.jpg`), await photograph(180 + 5 * i, 30, 20));
    }
    const small = ["--input", "3x32x32", "--batch-size", "2", "--epochs", "6", "--lr", "0.05"];
    await smallRun(folder, "run", "--data", data, ...small);
    await put(join(photos, "a.jpg"), await photograph(20, 30, 190, 90, 70));
    await put(
      join(photos, "b", "a.png"),
      await sharp(await photograph(190, 30, 20, 60, 80)).png().toBuffer(),
    );
    await body(join(folder, "run"), photos, folder);
  });
}

Deno.test("predict", loose, (t) =>
  withRun(async (run, photos, folder) => {
    await t.step("files, folders and patterns, as text, JSON and CSV", () => formats(run, photos, folder));
    await t.step("--explain draws a picture for each image, and replaces none of the same name", () =>
      explain(run, photos, folder));
    await t.step("files that are no images are named and counted; the others are answered", () =>
      damage(run, photos));
    await t.step("each mistake has its line", () =>
      mistakes(run, photos, folder));
  }));

/** The flags that name the network of a run here: it is code, which no file may name. */
const own = (run: string) => ["--model", join(run, "..", "net.ts")];

async function formats(run: string, photos: string, folder: string): Promise<void> {
  const [a, b] = [join(photos, "a.jpg"), join(photos, "b", "a.png")];
  const text = await printed(predict, run, photos, ...own(run), "--threads", "2");
  assert.equal(text.code, 0);
  const lines = text.out.split("\n");
  assert.deepEqual([lines.length, lines[0], lines[3]], [6, a, b]);
  assert.match(lines[1]!, /^ +\d+\.\d\d % {2}blue$/);
  assert.match(lines[4]!, /^ +\d+\.\d\d % {2}red, bright$/);

  const said = JSON.parse(
    (await printed(predict, run, a, b, ...own(run), "--json", "--batch-size", "1")).out,
  );
  assert.deepEqual([said.model, said.damaged], ["net", []]);
  assert.deepEqual(said.images.map(({ file }: { file: string }) => file), [a, b]);
  const [first, second] = said.images[1].predictions;
  assert.deepEqual([first.class, first.index, second.class, second.index], ["red, bright", 1, "blue", 0]);
  assert.ok(Math.abs(first.probability + second.probability - 1) < 1e-6);

  const csv = await printed(predict, run, `${photos}/**/*.png`, ...own(run), "--csv", "--top-k", "1");
  const probability = first.probability.toFixed(6);
  assert.deepEqual(csv.out.split("\n"), [
    "file,rank,class,index,probability",
    `${b},1,"red, bright",1,${probability}`,
  ]);

  // Plain weights, with names from a file, get ImageNet's normalisation: the one that the run had.
  const { convert } = await import("../../cli/convert.ts");
  const plain = join(folder, "plain.pth");
  await printed(convert, join(run, "best.safetensors"), plain, ...own(run));
  const names = await put(join(folder, "names.txt"), "Blue\r\nRed\r\n");
  const model = ["--model", await smallNet(folder), "--val-resize-size", "37"];
  const again = JSON.parse(
    (await printed(predict, plain, b, ...model, "--classes", names, "--json")).out,
  );
  assert.deepEqual(again.images[0].predictions[0], { ...first, class: "Red" });
}

async function damage(run: string, photos: string): Promise<void> {
  const bad = await put(join(photos, "bad.jpg"), "no image");
  const found = await printed(predict, run, photos, ...own(run), "--json");
  assert.equal(found.code, 4);
  assert.match(found.err, /^Note: .*bad\.jpg: cannot be decoded \(.*\)$/m);
  assert.match(found.err, /^1 of 3 files could not be decoded$/m);
  const { images, damaged } = JSON.parse(found.out);
  assert.deepEqual([images.length, damaged.length, damaged[0].file], [2, 1, bad]);
  const only = await printed(predict, run, bad, ...own(run));
  assert.deepEqual([only.code, only.out], [4, ""]);
  if (Deno.build.os === "windows") return;
  const odd = await putOddFiles(join(photos, "odd"));
  const more = JSON.parse((await printed(predict, run, photos, ...own(run), "--json")).out);
  assert.equal(more.images.length, 2);
  assert.deepEqual(more.damaged.map(({ file }: { file: string }) => file), [bad, ...odd]);
}

async function explain(run: string, photos: string, folder: string): Promise<void> {
  const output = join(folder, "why");
  const { code, out } = await printed(predict, run, photos, ...own(run), "--explain", output);
  assert.equal(code, 0);
  assert.deepEqual(namesIn(output), ["a-2.gradcam.png", "a.gradcam.png"]);
  assert.match(out, /^.*a\.jpg \(.*why\/a\.gradcam\.png\)$/m);
  // 32×32 pixels are shown seven times as large, twice beside each other.
  const { width, format } = await sharp(join(output, "a.gradcam.png")).metadata();
  assert.deepEqual([width, format], [12 + 2 * (224 + 6), "png"]);
  const image = join(photos, "a.jpg");
  const before = Deno.readFileSync(join(output, "a.gradcam.png"));
  const again = await printed(predict, run, image, ...own(run), "--explain", output);
  assert.match(again.out, /a\.jpg \(.*why\/a-3\.gradcam\.png\)$/m);
  assert.deepEqual(Deno.readFileSync(join(output, "a.gradcam.png")), before);
  const csv = await printed(predict, run, image, ...own(run), "--top-k", "1", "--csv", "--explain", output);
  const [header, row] = csv.out.split("\n");
  assert.equal(header, "file,rank,class,index,probability,explanation");
  assert.equal(row!.split(",").at(-1), join(output, "a-4.gradcam.png"));
  // A name with a letter that XML has not is no reason to fail.
  const odd = await put(join(folder, "classes.txt"), "bl\x01ue\nred\n");
  const drawn = await printed(predict, run, image, ...own(run), "--classes", odd, "--explain", output);
  assert.match(drawn.out, /a\.jpg \(.*why\/a-5\.gradcam\.png\)$/m);
  await assert.rejects(
    predict([run, photos, ...own(run), "--explain", image]),
    /not a folder to draw into; put --explain last/,
  );
  const unused = join(folder, "unused");
  await assert.rejects(predict([run, join(folder, "none.jpg"), "--explain", unused]), /no such file/);
  assert.equal(await statIfThere(unused), undefined);
}

async function mistakes(run: string, photos: string, folder: string): Promise<void> {
  const cases: [args: string[], message: RegExp][] = [
    [[], /predict needs weights/],
    [[run], /predict needs images/],
    [[run, join(folder, "none.jpg"), ...own(run)], /none\.jpg: there is no such file or folder/],
    [[run, photos, "--json", "--csv"], /--json and --csv: choose one/],
    [[run, photos, "--top-k", "0"], /--top-k must be a whole number of 1 or more/],
    [[run, photos, "--model", "resnet20"], /weights of another network/],
    [[run, photos, "--explan"], /--explan is no flag: did you mean --explain\?/],
  ];
  for (const [args, message] of cases) await assert.rejects(predict(args), message, args.join(" "));
}
