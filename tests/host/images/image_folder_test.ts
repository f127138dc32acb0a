import assert from "node:assert/strict";
import { join } from "node:path";
import { allocateBatch, DOES_NOT_COUNT, fillTestBatch, fillTrainBatch } from "../../../core/data/batches.ts";
import type { DatasetSplit } from "../../../core/data/dataset.ts";
import { fingerprint } from "../../../core/data/fingerprint.ts";
import { permutation } from "../../../core/random.ts";
import { type FolderOptions, loadDataset, type LoadOptions } from "../../../host/datasets.ts";
import { readHeader, restore, toCheckpoint } from "../../../core/train/checkpoint.ts";
import { createTrainer, type Trainer } from "../../../core/train/trainer.ts";
import { backendFor } from "../../support/run_op.ts";
import { TinyNet } from "../../support/tiny.ts";
import { plainOptions } from "../../support/data.ts";
import { photograph, put, putOddFiles } from "../../support/pictures.ts";
import { withFolder } from "../../support/temp_folder.ts";
import type { DamagedFile } from "../../../host/images/damaged.ts";
import { classification } from "../../../core/train/classification.ts";

const loose = { sanitizeOps: false, sanitizeResources: false };

type Changes = Partial<LoadOptions> & { readonly of?: Partial<FolderOptions> };

/** Loads the folder, hands it to `body`, and closes it. */
async function withImages<T>(
  folder: string,
  { of, ...changes }: Changes,
  body: (data: DatasetSplit) => Promise<T> | T,
): Promise<T> {
  const plain = plainOptions(folder);
  const data = await loadDataset("folder", { ...plain, ...changes, folder: { ...plain.folder, ...of } });
  try {
    return await body(data);
  } finally {
    data.close?.();
  }
}

/** `count` pictures of each class in a folder: cats are red, dogs green. */
async function putClasses(folder: string, count: number): Promise<void> {
  for (const [name, red, green] of [["cats", 180, 20], ["dogs", 20, 180]] as const) {
    for (let i = 0; i < count; i++) {
      await put(join(folder, name, `${i}.jpg`), await photograph(red, green, 5 * i));
    }
  }
}

/** Mean red and green of each image of a batch, and its target. */
async function look(data: DatasetSplit, part: "train" | "test", size: number) {
  const batch = allocateBatch(data[part], size);
  if (part === "test") await fillTestBatch(batch, data.test, 0);
  else {
    const order = permutation(data.train.count, 1, 0);
    await fillTrainBatch(batch, data.train, { seed: 1, epoch: 0, step: 0, order });
  }
  const bytes = batch.pixels.length / size;
  return Array.from(batch.target, (target, slot) => {
    const image = batch.pixels.subarray(slot * bytes, (slot + 1) * bytes);
    const mean = (channel: number) =>
      image.reduce((sum, byte, i) => sum + (i % 3 === channel ? byte : 0), 0) / (bytes / 3);
    return { target, red: mean(0), green: mean(1) };
  });
}

Deno.test(
  "folder: train/ and val/, classes by name, batches with the right labels",
  loose,
  () =>
    withFolder(async (folder) => {
      await putClasses(join(folder, "train"), 5);
      await putClasses(join(folder, "val"), 2);
      await put(join(folder, "train/dogs/deeper/last.PNG"), await photograph(20, 180, 0));
      await withImages(folder, { hflip: 0.5 }, async (data) => {
        const { train, test, normalize } = data;
        assert.deepEqual(train.classes, ["cats", "dogs"]);
        assert.deepEqual([train.count, test.count], [11, 4]);
        assert.deepEqual([train.channels, train.height, train.width], [3, 16, 16]);
        assert.deepEqual(normalize.mean, [0.485, 0.456, 0.406]);
        assert.deepEqual([...test.labels], [0, 0, 1, 1]);
        assert.equal(test.nameOf?.(2), "val/dogs/0.jpg");
        assert.deepEqual(data.notes, []);
        for (
          const { target, red, green } of [...await look(data, "train", 11), ...await look(data, "test", 4)]
        ) {
          assert.equal(target, red > green ? 0 : 1);
        }
      });
    }),
);

Deno.test(
  "folder: a batch is a function of seed and epoch, whatever the number of workers",
  loose,
  () =>
    withFolder(async (folder) => {
      await putClasses(join(folder, "train"), 5);
      await putClasses(join(folder, "test"), 2);
      const augment = {
        hflip: 0.5,
        rand_augment: { num_ops: 2, magnitude: 9 },
        color_jitter: { brightness: 0.4, contrast: 0.4, saturation: 0.4, hue: 0.1 },
        random_erase: 0.5,
      };
      const batches = (workers: number, epoch: number) =>
        withImages(folder, { ...augment, of: { workers } }, async ({ train }) => {
          const batch = allocateBatch(train, 10);
          await fillTrainBatch(batch, train, { seed: 3, epoch, step: 0, order: permutation(10, 3, 0) });
          return batch;
        });
      const first = await batches(1, 4);
      assert.deepEqual(await batches(3, 4), first);
      assert.notDeepEqual((await batches(1, 5)).pixels, first.pixels);
    }),
);

Deno.test(
  "folder: without a folder to test on, the seed holds back the same share of each class",
  loose,
  () =>
    withFolder(async (folder) => {
      await putClasses(folder, 10);
      const split = (of: Partial<FolderOptions>) =>
        withImages(folder, { of }, ({ train, test, notes }) => {
          const names = (part: typeof train) =>
            new TextDecoder().decode(part.contents()[0]).match(/\w+\/\d+\.jpg/g)!;
          return { train: names(train), test: names(test), labels: [...test.labels], notes };
        });
      const { train, test, labels, notes } = await split({ valSplit: 0.3, seed: 1 });
      assert.deepEqual(labels, [0, 0, 0, 1, 1, 1]);
      assert.equal(new Set([...train, ...test]).size, 20);
      assert.deepEqual(notes, []);
      assert.deepEqual((await split({ valSplit: 0.3, seed: 1 })).test, test);
      assert.notDeepEqual((await split({ valSplit: 0.3, seed: 2 })).test, test);
      const usual = await split({});
      assert.equal(usual.test.length, 4);
      assert.match(usual.notes.join(), /^no folder to test on: 20 % of each class are held back/);
    }),
);

Deno.test(
  "folder: what is no image is noted once; a bad header is skipped, or ends it by flag",
  loose,
  () =>
    withFolder(async (folder) => {
      await putClasses(join(folder, "train"), 3);
      await putClasses(join(folder, "val"), 1);
      await put(join(folder, "train/cats/notes.txt"), "hello");
      await put(join(folder, "train/cats/.DS_Store"), "hidden");
      const broken = await put(join(folder, "train/cats/broken.jpg"), "no image");
      await withImages(folder, {}, ({ train, notes }) => {
        assert.equal(train.count, 6);
        assert.match(
          notes[0]!,
          /^1 files are no images by their names and were passed over: train\/cats\/notes\.txt$/,
        );
        assert.match(
          notes[1]!,
          /^1 images cannot be decoded and are skipped: .*broken\.jpg \(.*unsupported image format\)$/,
        );
        assert.equal(notes.length, 2);
      });
      await assert.rejects(withImages(folder, { of: { badImages: "fail" } }, () => {}), (error: Error) => {
        assert.equal(error.name, "UserError");
        assert.match(
          error.message,
          /broken\.jpg: cannot be decoded \(.*\); mend or remove it, or say --bad-images skip$/,
        );
        assert.ok(error.message.startsWith(broken));
        return true;
      });
      await withImages(folder, { of: { maxPixels: 599 } }, () => {}).then(
        () => assert.fail("all images are too large"),
        (error: Error) => assert.match(error.message, /no training image of the class cats can be decoded$/),
      );
    }),
);

Deno.test(
  "folder: links that lead nowhere, pipes and the like are damaged files, each told of by name",
  { ...loose, ignore: Deno.build.os === "windows" },
  () =>
    withFolder(async (folder) => {
      await putClasses(join(folder, "train"), 3);
      await putClasses(join(folder, "val"), 1);
      const odd = await putOddFiles(join(folder, "train/cats"));
      const damaged: DamagedFile[] = [];
      const onDamaged = (file: DamagedFile) => damaged.push(file);
      await withImages(folder, { of: { onDamaged } }, ({ train, notes }) => {
        assert.equal(train.count, 6);
        assert.match(
          notes.join(),
          /^3 images cannot be decoded and are skipped: .*pipe\.jpg \(not a file\)$/,
        );
      });
      assert.deepEqual(damaged.map(({ file }) => file), odd);
      assert.match(damaged[1]!.why, /^No such file or directory$/);
      await assert.rejects(
        withImages(folder, { of: { badImages: "fail" } }, () => {}),
        /^UserError: .*loop\.jpg: cannot be decoded \(.*\); mend or remove it/,
      );
    }),
);

Deno.test(
  "folder: a damaged body is found when it is needed, named once, and replaced by its class's next",
  loose,
  () =>
    withFolder(async (folder) => {
      await putClasses(join(folder, "train"), 4);
      await putClasses(join(folder, "val"), 2);
      for (const path of ["train/dogs/1.jpg", "val/cats/1.jpg"]) {
        const whole = await photograph(250, 250, 250, 64, 64);
        await put(join(folder, path), whole.subarray(0, whole.length / 2));
      }
      const notes: string[] = [];
      const note = (line: string) => notes.push(line);
      await withImages(folder, { of: { note } }, async (data) => {
        assert.equal(data.train.count, 8, "its header is good");
        const order = Uint32Array.from({ length: 8 }, (_, i) => i);
        const batch = allocateBatch(data.train, 8);
        for (let epoch = 0; epoch < 2; epoch++) {
          await fillTrainBatch(batch, data.train, { seed: 1, epoch, step: 0, order });
          assert.deepEqual([...batch.target], [0, 0, 0, 0, 1, 1, 1, 1]);
        }
        const seen = await look(data, "test", 5);
        assert.deepEqual(seen.map(({ target }) => target), [0, DOES_NOT_COUNT, 1, 1, DOES_NOT_COUNT]);
        assert.equal(seen[1]!.red, 0, "black");
      });
      assert.equal(notes.length, 2);
      assert.match(notes[0]!, /dogs\/1\.jpg: cannot be decoded \(.*\) and is skipped, as 1 now$/);
      assert.match(notes[1]!, /cats\/1\.jpg: .* as 2 now$/);
      await withImages(folder, { of: { badImages: "fail" } }, async (data) => {
        await assert.rejects(
          look(data, "test", 4),
          /^UserError: .*1\.jpg: cannot be decoded .*--bad-images skip$/,
        );
      });
    }),
);

Deno.test(
  "folder: images that vanish while training are told, not skipped",
  loose,
  () =>
    withFolder(async (folder) => {
      await putClasses(join(folder, "train"), 3);
      await putClasses(join(folder, "val"), 1);
      await withImages(folder, {}, async (data) => {
        await Deno.remove(join(folder, "val"), { recursive: true });
        await assert.rejects(
          look(data, "test", 2),
          /^UserError: .*0\.jpg: cannot be read any more \(No such file/,
        );
      });
    }),
);

Deno.test(
  "folder: other images are another fingerprint, the same ones elsewhere are not",
  loose,
  () =>
    withFolder(async (folder) => {
      for (const place of ["a", "b"]) {
        await putClasses(join(folder, place, "train"), 2);
        await putClasses(join(folder, place, "val"), 1);
      }
      const print = (place: string) => withImages(join(folder, place), {}, fingerprint);
      assert.deepEqual(await print("a"), await print("b"));
      await Deno.rename(join(folder, "b/train/cats/0.jpg"), join(folder, "b/train/cats/9.jpg"));
      assert.notDeepEqual(await print("a"), await print("b"));
    }),
);

Deno.test("folder: mistakes are one line that says what to do", loose, () =>
  withFolder(async (folder) => {
    const refused = (path: string, pattern: RegExp, changes: Changes = {}) =>
      assert.rejects(withImages(join(folder, path), changes, () => {}), (error: Error) => {
        assert.equal(error.name, "UserError");
        assert.match(error.message, pattern);
        return true;
      });
    await refused("nowhere", /there is no such folder$/);
    await refused(
      "",
      /there are no folders with images, one a class, as in cats\/1\.jpg and dogs\/2\.jpg; other data sets are named by --dataset$/,
    );
    await put(join(folder, "file"), "x");
    await refused("file", /not a folder of images$/);
    await putClasses(join(folder, "set/train"), 2);
    await putClasses(join(folder, "set/val"), 1);
    await refused("set", /^--val-split has no effect .*: val\/ has the images to test on$/, {
      of: { valSplit: 0.1 },
    });
    await put(join(folder, "around/set/1.jpg"), await photograph(1, 2, 3));
    await refused("around", /around: all images are of one class, set, .* was .*around\/set meant\?$/);
    await put(join(folder, "set/val/birds/1.jpg"), await photograph(1, 2, 3));
    await refused("set", /val: there is no class birds in train\/$/);
    await Deno.mkdir(join(folder, "set/train/birds"));
    await refused("set", /birds: there are no images in it$/);
    await refused("set", /--input: images have 3 channels, or 1 for grey ones, not 4$/, {
      input: [4, 16, 16],
    });
  }));

Deno.test(
  "folder: a run resumed mid-epoch ends with the same bits",
  loose,
  () =>
    withFolder(async (folder) => {
      await putClasses(join(folder, "train"), 8);
      await putClasses(join(folder, "val"), 3);
      const varied: Changes = { hflip: 0.5, rand_augment: { num_ops: 1, magnitude: 9 } };
      await withImages(folder, varied, async (data) => {
        const options = { ...await tinyRun(), data };
        const whole = createTrainer(options);
        await whole.initialise();
        const losses = await lossesOf(whole);
        assert.equal(losses.length, 8);
        const first = createTrainer(options);
        await first.initialise();
        const early = await lossesOf(first, 6);
        const header = { model: "tiny", progress: first.progress, config: {} };
        const kept = await toCheckpoint(options.model, first.session, header, { optimizer: true });
        const second = createTrainer(options);
        restore(options.model, second.session, kept, "test");
        Object.assign(second.progress, readHeader(kept.metadata, "test")!.progress);
        assert.deepEqual([...early, ...await lossesOf(second)], losses);
        assert.deepEqual(second.progress, whole.progress);
        for (const trainer of [whole, first, second]) trainer.session.dispose();
      });
    }),
);

async function tinyRun() {
  return {
    backend: await backendFor({ threads: 2 }),
    model: new TinyNet(),
    batch_size: 4,
    epochs: 2,
    optimizer: { name: "sgd", momentum: 0.9 } as const,
    lr: () => 0.05,
    task: classification(),
    seed: 5,
  };
}

async function lossesOf(trainer: Trainer, updates = Infinity): Promise<number[]> {
  const losses: number[] = [];
  for await (const event of trainer.train()) {
    if (event.type === "step") losses.push(event.loss);
    if (trainer.progress.updates >= updates) break;
  }
  return losses;
}
