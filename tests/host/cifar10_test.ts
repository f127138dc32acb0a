import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { join } from "node:path";
import { UserError } from "../../core/errors.ts";
import { loadCifar10 } from "../../host/cifar10.ts";
import { loadDataset } from "../../host/datasets.ts";
import { binaryBatch, interleavedImages, python2Batch, tarGz } from "../support/cifar_files.ts";
import { plainOptions } from "../support/data.ts";
import { withServer } from "../support/file_server.ts";
import { namesIn, withFolder } from "../support/temp_folder.ts";

type Files = Record<string, Uint8Array<ArrayBuffer>>;

/** Batch i holds the labels i and i + 1, the test batch 9. */
function batches(make: (labels: number[]) => Uint8Array<ArrayBuffer>, prefix = "", suffix = ""): Files {
  const files: Files = {};
  for (let i = 1; i <= 5; i++) files[`${prefix}data_batch_${i}${suffix}`] = make([i, i + 1]);
  files[`${prefix}test_batch${suffix}`] = make([9]);
  return files;
}

const binary = (prefix = "") => batches(binaryBatch, prefix, ".bin");
const python = (prefix = "") => batches(python2Batch, prefix);
const LABELS = [1, 2, 2, 3, 3, 4, 4, 5, 5, 6];
const SUBSET = "a subset of CIFAR-10: 10 training and 1 test images, officially 50000 and 10000";
/** Nothing may be downloaded where data is found. */
const nowhere = { source: { url: "http://127.0.0.1:1/nowhere", md5: "" } };

async function write(folder: string, files: Files): Promise<void> {
  for (const [name, bytes] of Object.entries(files)) {
    await Deno.mkdir(join(folder, name, ".."), { recursive: true });
    await Deno.writeFile(join(folder, name), bytes);
  }
}

async function loads(data: string, ...notes: RegExp[]): Promise<void> {
  const split = await loadCifar10(data, nowhere);
  assert.deepEqual([...split.train.labels], LABELS);
  assert.deepEqual([...split.test.labels], [9]);
  assert.deepEqual(split.train.stored.images.subarray(0, 2 * 3072), interleavedImages(2));
  assert.equal(split.notes.length, notes.length + 1);
  notes.forEach((note, i) => assert.match(split.notes[i]!, note));
  assert.equal(split.notes.at(-1), SUBSET);
}

async function refuses(data: string, message: RegExp): Promise<void> {
  await assert.rejects(loadCifar10(data, nowhere), (error: Error) => {
    assert.ok(error instanceof UserError);
    assert.doesNotMatch(error.message, /\n/);
    assert.match(error.message, message);
    return true;
  });
}

Deno.test("cifar10: folders of either kind, themselves or under their usual name", () =>
  withFolder(async (folder) => {
    const kinds = {
      a: binary(),
      b: python(),
      c: binary("cifar-10-batches-bin/"),
      d: python("cifar-10-batches-py/"),
    };
    for (const [name, files] of Object.entries(kinds)) {
      await write(join(folder, name), files);
      await loads(join(folder, name));
    }
  }));

Deno.test("cifar10: archives of either kind, themselves or in the folder; one that is not official is noted", () =>
  withFolder(async (folder) => {
    const kinds: Files = {
      "cifar-10-binary.tar.gz": await tarGz({
        ...binary("cifar-10-batches-bin/"),
        "readme.html": Uint8Array.of(1),
      }),
      "cifar-10-python.tar.gz": await tarGz(python("cifar-10-batches-py/")),
    };
    for (const [name, bytes] of Object.entries(kinds)) {
      await write(join(folder, name.slice(0, 15)), { [name]: bytes });
      await loads(join(folder, name.slice(0, 15)), /is not an official archive of CIFAR-10/);
      await loads(join(folder, name.slice(0, 15), name), /its md5 is [0-9a-f]{32}/);
    }
  }));

Deno.test("cifar10: a first batch and a test batch alone are a subset", () =>
  withFolder(async (folder) => {
    await write(folder, { "data_batch_1.bin": binaryBatch([1, 2, 3]), "test_batch.bin": binaryBatch([4]) });
    const { train, test, notes } = await loadCifar10(folder, nowhere);
    assert.deepEqual([...train.labels, ...test.labels], [1, 2, 3, 4]);
    assert.match(notes.join(), /^a subset of CIFAR-10: 3 training/);
  }));

Deno.test("cifar10: missing, short and corrupt files have their line", () =>
  withFolder(async (folder) => {
    const { "data_batch_3.bin": third, "test_batch.bin": test, ...rest } = binary();
    await write(folder, rest);
    await refuses(
      folder,
      /: data_batch_3\.bin, test_batch\.bin are missing; get CIFAR-10 again or check --data$/,
    );
    await write(folder, { "test_batch.bin": test! });
    await refuses(folder, /: data_batch_3\.bin is missing/);
    await write(folder, { "data_batch_3.bin": third!.slice(0, 5000) });
    await refuses(folder, /data_batch_3\.bin: 5000 bytes, expected 30730000 .* short or corrupt/);
    await write(folder, { "data_batch_3.bin": new Uint8Array() });
    await refuses(folder, /data_batch_3\.bin: 0 bytes, expected 30730000/);
    await write(folder, { "data_batch_3.bin": third!.fill(200, 0, 1) });
    await refuses(folder, /data_batch_3\.bin: record 0 has label 200/);
  }));

Deno.test("cifar10: archives that cannot be trusted have their line", () =>
  withFolder(async (folder) => {
    const path = join(folder, "cifar-10-binary.tar.gz");
    const good = await tarGz(binary("cifar-10-batches-bin/"));
    const bad: [Uint8Array<ArrayBuffer>, RegExp][] = [
      [
        new Uint8Array(),
        /not a readable \.tar\.gz \(.*; 0 bytes, expected 170052171\); it is short or corrupt/,
      ],
      [good.slice(0, good.length >> 1), /not a readable \.tar\.gz/],
      [good.slice(0, good.length - 4), /not a readable \.tar\.gz/],
      [good.map((byte, i) => i === good.length - 6 ? byte ^ 1 : byte), /not a readable \.tar\.gz/],
      [new TextEncoder().encode("<html>Not found</html>"), /not a readable \.tar\.gz/],
      [await tarGz({ "readme.html": Uint8Array.of(1) }), /data_batch_1\.bin, .*test_batch\.bin are missing/],
      [await tarGz({ ...binary("a/"), ...binary("b/") }), /has data_batch_1 twice/],
      [
        await tarGz({ ...binary(), "data_batch_2.bin": new Uint8Array(100) }),
        /tar\.gz: data_batch_2\.bin: 100 bytes/,
      ],
    ];
    for (const [bytes, message] of bad) {
      await Deno.writeFile(path, bytes);
      await refuses(folder, message);
      await refuses(path, message);
    }
    assert.deepEqual(namesIn(folder), ["cifar-10-binary.tar.gz"]);
  }));

Deno.test("cifar10: a path that is neither folder nor archive has its line", () =>
  withFolder(async (folder) => {
    await write(folder, { "notes.txt": Uint8Array.of(1) });
    await refuses(
      join(folder, "notes.txt"),
      /notes\.txt: neither a folder nor a \.tar\.gz of CIFAR-10; check --data$/,
    );
    await refuses(join(folder, "cifar.tar.gz"), /cifar\.tar\.gz: there is no such file; check --data$/);
    await Deno.mkdir(join(folder, "cifar-10-binary.tar.gz"));
    await refuses(folder, /cifar-10-binary\.tar\.gz: cannot be read \(not a file\)$/);
  }));

Deno.test("cifar10: downloaded where it is not found, once", () =>
  withFolder(async (folder) => {
    const archive = await tarGz(binary("cifar-10-batches-bin/"));
    const md5 = createHash("md5").update(archive).digest("hex");
    await withServer(archive, async (url, server, requests) => {
      server.breakAfter = 300;
      await assert.rejects(loadCifar10(join(folder, "new"), { source: { url, md5 } }), /stopped at 300 of/);
      assert.deepEqual(namesIn(join(folder, "new")), ["cifar-10-binary.tar.gz.part"]);
      delete server.breakAfter;

      const received: number[] = [];
      const progress = (bytes: number) => received.push(bytes);
      const { train } = await loadCifar10(join(folder, "new"), { source: { url, md5 }, progress });
      assert.deepEqual([...train.labels], LABELS);
      assert.deepEqual([received[0], received.at(-1)], [300, archive.length]);
      assert.deepEqual(namesIn(join(folder, "new")), ["cifar-10-binary.tar.gz"]);

      await loadCifar10(join(folder, "new"), { source: { url, md5 } });
      assert.deepEqual(requests, ["", "bytes=300-"]);

      await assert.rejects(
        loadCifar10(join(folder, "other"), { source: { url, md5: "0" } }),
        /other\/cifar-10-binary\.tar\.gz\.part: downloaded from .*md5 is .* delete this file and try again$/,
      );
      server.status = 404;
      await assert.rejects(
        loadCifar10(join(folder, "none"), { source: { url, md5 } }),
        /^UserError: cannot download .*404.*; get it by other means and put it at .*none\/cifar-10-binary\.tar\.gz$/,
      );
      assert.deepEqual(namesIn(folder), ["new", "other"]);
    });
  }));

Deno.test("loadDataset: by name, and with the nearest one for a name that is unknown", async () => {
  const { train } = await loadDataset("digits", plainOptions("nowhere"));
  assert.equal(train.name, "digits");
  for (const [wrong, meant] of [["cifra10", "cifar10"], ["Digits", "digits"], ["digit", "digits"]]) {
    await assert.rejects(
      loadDataset(wrong!, plainOptions("nowhere")),
      new UserError(
        `--dataset ${wrong}: there is no such data set; did you mean ${meant}? Known are digits, cifar10, mnist, folder, boxes`,
      ),
    );
  }
});
