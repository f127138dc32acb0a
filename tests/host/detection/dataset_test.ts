import assert from "node:assert/strict";
import { join } from "node:path";
import { allocateBatch, fillTestBatch, fillTrainBatch } from "../../../core/data/batches.ts";
import { yoloAugmentation } from "../../../core/data/detection/augment.ts";
import type { DetectionDataset } from "../../../core/data/detection/dataset.ts";
import { overfitTo } from "../../../core/data/overfit.ts";
import { fillTarget } from "../../../core/detect/targets.ts";
import { permutation } from "../../../core/random.ts";
import { type DetectionOptions, loadDetection } from "../../../host/detection/dataset.ts";
import { boxPictures, writeVoc, writeYolo } from "../../support/boxes.ts";
import { withFolder } from "../../support/temp_folder.ts";

const pooled = { sanitizeOps: false, sanitizeResources: false };

const options: DetectionOptions = {
  input: [3, 64, 64],
  split_size: 4,
  augmentation: yoloAugmentation,
  valSplit: undefined,
  seed: 1,
  maxPixels: 1e6,
  badImages: "skip",
  workers: 1,
  note: () => {},
};

const names = ({ images }: DetectionDataset) => images.map(({ name }) => name);

Deno.test("without lists the seed holds back the same exact share each time", pooled, async () => {
  await withFolder(async (folder) => {
    await writeVoc(folder, boxPictures(10));
    const load = async (changes: Partial<DetectionOptions>) => {
      const data = await loadDetection(folder, { ...options, ...changes });
      data.close!();
      return data;
    };
    const { train, test, notes } = await load({});
    assert.deepEqual([train.count, test.count, train.classes], [8, 2, ["green", "red"]]);
    assert.match(notes.join(), /^2 of 10 images, drawn by seed 1, are held back/);
    assert.deepEqual(names((await load({})).test), names(test));
    const all = [...names(train), ...names(test)].sort();
    assert.equal(new Set(all).size, 10, "no image is in both");
    const other = await load({ valSplit: 0.4, seed: 2 });
    assert.deepEqual([other.train.count, other.test.count], [6, 4]);
    const same = await load({ overfit: true });
    assert.deepEqual(names(same.train), names(same.test));
    assert.equal((await load({ testOnly: "new" })).test.count, 10);
    assert.deepEqual(names((await load({ testOnly: "seen" })).test), names(test));
  });
});

Deno.test("lists and folders say what to train and to test on", pooled, async () => {
  await withFolder(async (folder) => {
    await writeVoc(join(folder, "voc"), boxPictures(5), { train: [0, 2, 4], val: [1], test: [3] });
    await writeYolo(join(folder, "yolo"), { train: boxPictures(3), valid: boxPictures(2) });
    const voc = await loadDetection(join(folder, "voc"), options);
    assert.deepEqual([names(voc.train), names(voc.test)], [["0", "2", "4"], ["1"]]);
    assert.deepEqual(voc.notes, ["trains on train, tests on val"]);
    const list = (list: string) => loadDetection(join(folder, "voc"), { ...options, testOnly: "new", list });
    const listed = await list("test");
    assert.deepEqual([names(listed.train), names(listed.test)], [[], ["3"]]);
    listed.close!();
    await assert.rejects(list("dev"), /--split dev: .*voc has no such list .*; it has test, train, val$/);
    const yolo = await loadDetection(join(folder, "yolo"), options);
    assert.deepEqual(names(yolo.test), ["valid/0", "valid/1"]);
    assert.deepEqual(yolo.train.classes, ["red", "green"]);
    await assert.rejects(loadDetection(join(folder, "voc"), { ...options, valSplit: 0.3 }), /--val-split/);
    for (const data of [voc, yolo]) data.close!();
  });
});

Deno.test("a batch has an image's pixels and its boxes' target, unvaried in a test", pooled, async () => {
  await withFolder(async (folder) => {
    const pictures = boxPictures(4);
    await writeVoc(folder, pictures);
    const data = await loadDetection(folder, { ...options, overfit: true });
    const { test } = data;
    const batch = allocateBatch(test, 3);
    batch.target.fill(7);
    await fillTestBatch(batch, test, 1);
    const cells = 4 * 4 * 5;
    const { box, label } = pictures[3]!;
    const object = { box, label: test.classes.indexOf(label), difficult: false, truncated: false };
    const expected = new Float32Array(cells);
    fillTarget(expected, { width: 60, height: 40, objects: [object] }, 4);
    close(batch.target.subarray(0, cells), expected);
    const others = batch.target.subarray(cells);
    assert.ok(others.every((number, i) => number === (i % 5 === 0 ? -2 : 0)), "what fills up does not count");
    // The middle of the box is of the box's colour: green, as picture 3.
    const [x, y] = [Math.round((box.x1 + box.x2) / 2 / 60 * 64), Math.round((box.y1 + box.y2) / 2 / 40 * 64)];
    assert.deepEqual([...batch.pixels.subarray((y * 64 + x) * 3, (y * 64 + x) * 3 + 3)], [40, 220, 60]);
    data.close!();
  });
});

Deno.test("in training boxes follow their varied images, as seed and epoch say", pooled, async () => {
  await withFolder(async (folder) => {
    await writeVoc(folder, boxPictures(6));
    const data = await loadDetection(folder, { ...options, overfit: true });
    const { train } = data;
    const read = async (epoch: number) => {
      const batch = allocateBatch(train, 6);
      await fillTrainBatch(batch, train, { seed: 1, epoch, step: 0, order: permutation(6, 1, epoch) });
      return batch;
    };
    assert.deepEqual(await read(0), await read(0));
    assert.notDeepEqual((await read(0)).target, (await read(1)).target);
    let looked = 0;
    for (let epoch = 0; epoch < 8; epoch++) {
      const { pixels, target } = await read(epoch);
      for (const [slot, sample] of permutation(6, 1, epoch).entries()) {
        const objects = train.objects(sample, { seed: 1, epoch });
        const expected = new Float32Array(80);
        fillTarget(expected, { width: 64, height: 64, objects }, 4);
        close(target.subarray(slot * 80, (slot + 1) * 80), expected);
        for (const { box: { x1, y1, x2, y2 } } of objects) {
          const [x, y] = [Math.floor((x1 + x2) / 2), Math.floor((y1 + y2) / 2)];
          const at = ((slot * 64 + y) * 64 + x) * 3;
          assert.ok(Math.max(...pixels.subarray(at, at + 3)) > 100, "the box's middle is bright");
          looked++;
        }
      }
    }
    assert.ok(looked > 40);
    data.close!();
  });
});

Deno.test("a few images to learn by heart are unvaried, with their own boxes", pooled, async () => {
  await withFolder(async (folder) => {
    await writeVoc(folder, boxPictures(6));
    const data = await loadDetection(folder, { ...options, overfit: true });
    const { train, test } = overfitTo(data, 4, 3);
    const [one, other] = [allocateBatch(train, 4), allocateBatch(test, 4)];
    const order = Uint32Array.from({ length: 4 }, (_, i) => i);
    await fillTrainBatch(one, train, { seed: 1, epoch: 4, step: 0, order });
    await fillTestBatch(other, test, 0);
    assert.deepEqual(one, other);
    assert.deepEqual([train.count, train.images.length], [4, 4]);
    data.close!();
  });
});

Deno.test("a damaged image is skipped, its place taken by the next; or ends the run", pooled, async () => {
  await withFolder(async (folder) => {
    await writeVoc(folder, boxPictures(4));
    const path = join(folder, "JPEGImages/2.png");
    await Deno.writeFile(path, (await Deno.readFile(path)).subarray(0, 90));
    const said: string[] = [];
    const data = await loadDetection(folder, { ...options, overfit: true, note: (line) => said.push(line) });
    const batch = allocateBatch(data.test, 4);
    await fillTestBatch(batch, data.test, 0);
    assert.deepEqual([0, 1, 2, 3].map((slot) => batch.target[slot * 80] === -2), [false, false, true, false]);
    const order = Uint32Array.of(2, 3, 0, 1);
    await fillTrainBatch(batch, data.train, { seed: 1, epoch: 0, step: 0, order });
    const expected = new Float32Array(80);
    const objects = data.train.objects(3, { seed: 1, epoch: 0 });
    fillTarget(expected, { width: 64, height: 64, objects }, 4);
    close(batch.target.subarray(0, 80), expected);
    assert.match(said.join("\n"), /2\.png: cannot be decoded .* and is skipped/);
    data.close!();
    const strict = await loadDetection(folder, { ...options, badImages: "fail", overfit: true });
    await assert.rejects(async () => await fillTestBatch(batch, strict.test, 0), /2\.png: cannot be decoded/);
    strict.close!();
  });
});

Deno.test(
  "an image without a header is skipped, or ends it; objects that share a cell are told",
  pooled,
  async () => {
    await withFolder(async (folder) => {
      await writeYolo(folder, { all: boxPictures(6) });
      await Deno.writeTextFile(join(folder, "all/images/4.png"), "no image");
      const labels = join(folder, "all/labels/0.txt");
      await Deno.writeTextFile(labels, "0 0.5 0.5 0.2 0.2\n1 0.52 0.5 0.3 0.3\n1 0.1 0.1 0.1 0.1\n");
      const data = await loadDetection(folder, { ...options, overfit: true });
      assert.equal(data.train.count, 5);
      assert.deepEqual(data.notes, [
        "images that cannot be read and are skipped: 1; deno task lint-data names them",
        "1 of 7 objects share a cell of 4×4 with another one and are not learnt",
      ]);
      data.close!();
      await assert.rejects(
        loadDetection(folder, { ...options, badImages: "fail" }),
        /4\.txt: the image cannot be read: .*; deno task lint-data names all such problems/,
      );
    });
  },
);

Deno.test("data without an object to learn or to test on is refused", pooled, async () => {
  await withFolder(async (folder) => {
    await writeVoc(folder, boxPictures(3), { train: [0, 1], val: [2] });
    await Deno.writeTextFile(
      join(folder, "Annotations/2.xml"),
      "<annotation><folder>x</folder></annotation>",
    );
    await assert.rejects(loadDetection(folder, options), /no image to test on has an object/);
  });
});

function close(actual: ArrayLike<number>, expected: ArrayLike<number>): void {
  assert.equal(actual.length, expected.length);
  for (let i = 0; i < actual.length; i++) {
    assert.ok(Math.abs(actual[i]! - expected[i]!) < 1e-5, `${i}: ${actual[i]} and ${expected[i]}`);
  }
}
