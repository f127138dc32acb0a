import assert from "node:assert/strict";
import { join } from "node:path";
import { readAnnotated } from "../../../host/detection/annotated.ts";
import { findAnnotations } from "../../../host/detection/find.ts";
import { plainImage } from "../../support/image_files.ts";
import { withFolder } from "../../support/temp_folder.ts";
import { writeFiles } from "../../support/write_files.ts";

/** `name: image + annotation (sets)` of what a list in a folder names, with paths from the folder. */
async function found(files: Readonly<Record<string, string>>, listed: string) {
  let lines: string[] = [], classes: readonly string[] | undefined;
  await withFolder(async (folder) => {
    await writeFiles(
      folder,
      Object.fromEntries(
        Object.entries(files).map(([name, text]) => [name, text.replaceAll("FOLDER", folder)]),
      ),
    );
    const all = await findAnnotations(join(folder, listed));
    assert.equal(all.format, "yolo");
    classes = all.classes;
    const short = (path: string | undefined) => path?.slice(folder.length + 1) ?? "–";
    lines = all.files.map(({ name, image, annotation, sets }) =>
      `${name}: ${short(image)} + ${short(annotation)}${sets.length > 0 ? ` (${sets.join()})` : ""}`
    );
  });
  return { lines, classes };
}

Deno.test("Darknet's .data file: lists to train and to test on, paths from a folder above, names", async () => {
  const { lines, classes } = await found({
    "cfg/obj.data":
      "classes= 2\ntrain  = data/train.txt # a comment\nvalid=data/test.txt\nnames = data/obj.names\nbackup = x\n",
    "data/train.txt": "data/images/a.jpg\r\ndata/images/b.png\ndata/images/b.png\n\n",
    "data/test.txt": "FOLDER/data/images/c.jpg\ndata/images/b.png\n",
    "data/obj.names": "cat\nbig dog\n",
    "data/images/a.jpg": "",
    "data/images/b.png": "",
    "data/images/c.jpg": "",
    "data/labels/a.txt": "",
    "data/labels/b.txt": "",
    "data/images/c.txt": "",
  }, "cfg/obj.data");
  assert.deepEqual(classes, ["cat", "big dog"]);
  assert.deepEqual(lines, [
    "a: data/images/a.jpg + data/labels/a.txt (train)",
    "b: data/images/b.png + data/labels/b.txt (train,valid)",
    "c: data/images/c.jpg + data/images/c.txt (valid)",
  ]);
});

Deno.test("a list alone: its name says what it is for; what is missing is told as such", async () => {
  const files = {
    "train.txt": "./JPEGImages/x/a.jpg\n.\\JPEGImages\\y\\b.jpg\n",
    "mine.txt": "JPEGImages/x/a.jpg\n",
    "classes.txt": "cat\n",
    "JPEGImages/x/a.jpg": "",
    "labels/x/a.txt": "",
    "labels/y/b.txt": "",
  };
  const train = await found(files, "train.txt");
  assert.deepEqual(train.classes, ["cat"]);
  assert.deepEqual(train.lines, [
    "x/a: JPEGImages/x/a.jpg + labels/x/a.txt (train)",
    "y/b: – + labels/y/b.txt (train)",
  ]);
  assert.deepEqual((await found(files, "mine.txt")).lines, ["a: JPEGImages/x/a.jpg + labels/x/a.txt"]);
});

Deno.test("each mistake in a list has its line", async () => {
  const cases: [Record<string, string>, RegExp][] = [
    [{ "obj.data": "valid = a.txt\n" }, /obj\.data: has no line such as train = data\/train\.txt$/],
    [
      { "obj.data": "train = a.txt\nclasses = many\n", "a.txt": "" },
      /classes = many, expected a whole number/,
    ],
    [
      { "obj.data": "train=a.txt\nclasses=2\nnames=n\n", "a.txt": "1.jpg\n", n: "cat\n" },
      /obj\.data: classes = 2, and .*n has 1$/,
    ],
    [{ "obj.data": "train = a.txt\n" }, /obj\.data: train = a\.txt: there is no such file$/],
    [
      { "obj.data": "train = a.txt\n", "a.txt": "0 0.5 0.5 1 1\n" },
      /a\.txt: "0 0\.5 0\.5 1 1", expected the path of an image/,
    ],
    [
      { "obj.data": "train = a.txt\n", "a.txt": "\n" },
      /a\.txt: is empty, expected the path of an image in each line$/,
    ],
  ];
  for (const [files, message] of cases) await assert.rejects(found(files, "obj.data"), message);
  const numbers = { "obj.data": "train=a.txt\nclasses=3\n", "a.txt": "1.jpg\n", "1.jpg": "" };
  assert.deepEqual((await found(numbers, "obj.data")).classes, ["0", "1", "2"]);
  await assert.rejects(found({ "a.jpg": "" }, "a.jpg"), /a\.jpg: neither a folder nor Darknet's list/);
});

Deno.test("a list's images with their objects, for a detector", () =>
  withFolder(async (folder) => {
    await writeFiles(folder, {
      "train.txt": "images/a.jpg\nimages/b.jpg\n",
      "images/a.jpg": await plainImage({ width: 40, height: 20 }),
      "images/b.jpg": await plainImage({ width: 30, height: 30 }),
      "labels/a.txt": "1 0.5 0.5 0.5 0.5\n",
    });
    const { classes, images, sets } = await readAnnotated(join(folder, "train.txt"));
    assert.deepEqual([...classes], ["0", "1"]);
    assert.deepEqual(sets.get("train"), [0, 1]);
    assert.deepEqual(images.map(({ name, width, objects }) => [name, width, objects.map(({ box }) => box)]), [
      ["a", 40, [{ x1: 10, y1: 5, x2: 30, y2: 15 }]],
      ["b", 30, []],
    ]);
  }));
