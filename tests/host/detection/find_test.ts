import assert from "node:assert/strict";
import { join } from "node:path";
import { findAnnotations } from "../../../host/detection/find.ts";
import { readAnnotated } from "../../../host/detection/annotated.ts";
import { plainImage } from "../../support/image_files.ts";
import type { DamagedFile } from "../../../host/images/damaged.ts";
import { putOddFiles } from "../../support/pictures.ts";
import { withFolder } from "../../support/temp_folder.ts";
import { writeFiles } from "../../support/write_files.ts";

/** What was found: `name: image + annotation (sets)`, with paths from the folder. */
async function found(files: Readonly<Record<string, string | Uint8Array>>) {
  let lines: string[] = [], format = "", classes: readonly string[] | undefined;
  await withFolder(async (folder) => {
    await writeFiles(folder, files);
    const all = await findAnnotations(folder);
    ({ format, classes } = all);
    const short = (path: string | undefined) => path?.slice(folder.length + 1) ?? "–";
    lines = all.files.map(({ name, image, annotation, sets }) =>
      `${name}: ${short(image)} + ${short(annotation)}${sets.length > 0 ? ` (${sets.join()})` : ""}`
    );
  });
  return { lines, format, classes };
}

Deno.test("PASCAL VOC's own folders, with lists; masks and lists of one class are passed over", async () => {
  const { lines, format } = await found({
    "VOCdevkit/VOC2007/JPEGImages/000005.jpg": "",
    "VOCdevkit/VOC2007/JPEGImages/000007.jpg": "",
    "VOCdevkit/VOC2007/SegmentationClass/000005.png": "",
    "VOCdevkit/VOC2007/Annotations/000005.xml": "",
    "VOCdevkit/VOC2007/Annotations/000009.xml": "",
    "VOCdevkit/VOC2007/ImageSets/Main/train.txt": "000005\n000404\n",
    "VOCdevkit/VOC2007/ImageSets/Main/val.txt": "000007\n",
    "VOCdevkit/VOC2007/ImageSets/Main/dog_train.txt": "000005 -1\n",
    "VOCdevkit/VOC2007/ImageSets/Layout/train.txt": "000005 1 2 3\n",
  });
  const base = "VOCdevkit/VOC2007";
  assert.equal(format, "voc");
  assert.deepEqual(lines, [
    `000005: ${base}/JPEGImages/000005.jpg + ${base}/Annotations/000005.xml (train)`,
    `000007: ${base}/JPEGImages/000007.jpg + – (val)`,
    `000009: – + ${base}/Annotations/000009.xml`,
    "000404: – + – (train)",
  ]);
});

Deno.test("XML files beside their images, in folders that say what they are for", async () => {
  const { lines } = await found({ "train/a.png": "", "train/a.xml": "", "test/b.JPG": "", "test/b.xml": "" });
  assert.deepEqual(lines, [
    "test/b: test/b.JPG + test/b.xml (test)",
    "train/a: train/a.png + train/a.xml (train)",
  ]);
});

Deno.test("YOLO's folders, either way round, with a list of classes", async () => {
  const { lines, format, classes } = await found({
    "images/train/1.jpg": "",
    "labels/train/1.txt": "",
    "val/images/2.jpg": "",
    "val/labels/2.txt": "",
    "labels/train/classes.txt": "cat\ndog\n",
    "README.txt": "no label",
  });
  assert.deepEqual([format, classes], ["yolo", ["cat", "dog"]]);
  assert.deepEqual(lines, [
    "train/1: images/train/1.jpg + labels/train/1.txt (train)",
    "val/2: val/images/2.jpg + val/labels/2.txt (val)",
  ]);
});

Deno.test("classes as Ultralytics' data.yaml has them: a list, or by number", async () => {
  const files = { "images/1.jpg": "", "labels/1.txt": "" };
  const classes = async (yaml: string) => (await found({ ...files, "data.yaml": yaml })).classes;
  assert.deepEqual(await classes("train: images\nnc: 2\nnames: ['cat', \"big dog\"]\n"), ["cat", "big dog"]);
  assert.deepEqual(await classes("names:\n  0: cat\n  1: dog\n"), ["cat", "dog"]);
  assert.deepEqual(await classes("names:\n- cat # a comment\n- dog\n"), ["cat", "dog"]);
  assert.equal(await classes("train: images\n"), undefined);
  await assert.rejects(classes("names:\n  1: cat\n"), /data\.yaml: names must be a list/);
  await assert.rejects(classes("names: [cat\n"), /data\.yaml: not YAML/);
});

Deno.test("a CSV of pairs, whose names need not agree", async () => {
  const { lines } = await found({
    "set/images/1.jpg": "",
    "set/images/2.jpg": "",
    "set/labels/1.txt": "",
    "set/labels/two.txt": "",
    "set/train.csv": "img,label\n1.jpg,1.txt\n",
    "set/test.csv": "2.jpg,two.txt\n3.jpg,3.txt\n",
    "set/sizes.csv": "name,width\n1.jpg,5\n",
  });
  assert.deepEqual(lines, [
    "1: set/images/1.jpg + set/labels/1.txt (train)",
    "2: set/images/2.jpg + set/labels/two.txt (test)",
    "3: – + – (test)",
  ]);
});

Deno.test("a list is a folder's name, not an image's own; each name counts once", async () => {
  const photographs = await found({
    "images/train.jpg": "",
    "images/test.jpg": "",
    "images/3.jpg": "",
    "labels/train.txt": "",
    "labels/test.txt": "",
    "labels/3.txt": "",
  });
  assert.deepEqual(photographs.lines, [
    "3: images/3.jpg + labels/3.txt",
    "test: images/test.jpg + labels/test.txt",
    "train: images/train.jpg + labels/train.txt",
  ]);
  const nested = await found({ "train/train/x.jpg": "", "train/train/x.txt": "" });
  assert.deepEqual(nested.lines, ["x: train/train/x.jpg + train/train/x.txt (train)"]);
  const twice = await found({
    "JPEGImages/1.jpg": "",
    "Annotations/1.xml": "",
    "ImageSets/Main/train.txt": "1\n1\n",
  });
  assert.deepEqual(twice.lines, ["1: JPEGImages/1.jpg + Annotations/1.xml (train)"]);
});

Deno.test("images of one name, of which one would be dropped, are named; a CSV says which is meant", async () => {
  const both = { "images/1.jpg": "", "images/1.png": "", "images/2.jpg": "", "labels/1.txt": "" };
  await assert.rejects(found(both), /^UserError: --data .*: images\/1\.jpg and images\/1\.png have one name/);
  const { lines } = await found({ ...both, "train.csv": "1.jpg,1.txt\n2.jpg,2.txt\n" });
  assert.deepEqual(lines, ["1: images/1.jpg + labels/1.txt (train)", "2: images/2.jpg + – (train)"]);
  const csv = { "labels/2.txt": "", "train.csv": "1.jpg,1.txt\n1.png,2.txt\n" };
  await assert.rejects(found({ ...both, ...csv }), /images\/1\.jpg and images\/1\.png have one name/);
  // Of VOC's images only those with an annotation count.
  const voc = { "JPEGImages/1.jpg": "", "JPEGImages/1.png": "", "Annotations/2.xml": "" };
  assert.equal((await found(voc)).lines.length, 2);
  await assert.rejects(
    found({ ...voc, "Annotations/1.xml": "" }),
    /1\.jpg and JPEGImages\/1\.png have one name/,
  );
});

Deno.test("a folder that is not there, or holds no annotations, is named", async () => {
  await assert.rejects(
    findAnnotations("/no/such/folder"),
    /--data \/no\/such\/folder: there is no such folder/,
  );
  await assert.rejects(found({ "a.jpg": "" }), /there are no annotations: neither PASCAL VOC's/);
});

Deno.test("data for a detector: sizes from the images, labels by class, lists as indices", async () => {
  await withFolder(async (folder) => {
    const image = await plainImage({ width: 40, height: 20 });
    await writeFiles(folder, {
      "images/1.jpg": image,
      "images/2.jpg": image,
      "images/3.jpg": image,
      "labels/1.txt": "2 0.5 0.5 0.5 1\n0 0.1 0.5 0.4 1\n",
      "labels/2.txt": "",
      "train.csv": "1.jpg,1.txt\n",
    });
    const { classes, images, sets } = await readAnnotated(folder);
    assert.deepEqual(classes, ["0", "1", "2"]);
    assert.deepEqual(
      images.map(({ name, width, height, objects }) => [name, width, height, objects.length]),
      [
        ["1", 40, 20, 2],
        ["2", 40, 20, 0],
        ["3", 40, 20, 0],
      ],
    );
    assert.deepEqual(images[0]!.objects[0]!.box, { x1: 10, y1: 0, x2: 30, y2: 20 });
    assert.equal(images[0]!.objects[1]!.box.x1, 0);
    assert.deepEqual([...sets], [["train", [0]]]);
    assert.deepEqual((await readAnnotated(folder, { classes: ["a", "b", "c"] })).classes, ["a", "b", "c"]);
    await Deno.writeFile(join(folder, "images/2.jpg"), image.subarray(0, 40));
    await assert.rejects(readAnnotated(folder), /labels\/2\.txt: the image cannot be read: .*lint-data/);
    if (Deno.build.os === "windows") return;
    const odd = await putOddFiles(join(folder, "images"));
    const damaged: DamagedFile[] = [];
    const onDamaged = (file: DamagedFile) => damaged.push(file);
    const read = await readAnnotated(folder, { badImages: "skip", onDamaged });
    assert.equal(read.images.length, 2);
    assert.deepEqual(damaged.map(({ file }) => file), [join(folder, "images/2.jpg"), ...odd]);
    assert.deepEqual(damaged.slice(2).map(({ why }) => why), ["No such file or directory", "not a file"]);
  });
});
