import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { loadMnist } from "../../host/mnist.ts";
import { idx } from "../support/idx_file.ts";
import { put } from "../support/pictures.ts";
import { namesIn, withFolder } from "../support/temp_folder.ts";

/** Image i is of value 10 + i, its label i mod 10. */
function files(): Record<string, Uint8Array> {
  const images = (count: number) => idx([count, 28, 28], (i) => 10 + Math.floor(i / 784));
  const labels = (count: number) => idx([count], (i) => i % 10);
  return {
    "train-images-idx3-ubyte": images(12),
    "train-labels-idx1-ubyte": labels(12),
    "t10k-images-idx3-ubyte": images(3),
    "t10k-labels-idx1-ubyte": labels(3),
  };
}

Deno.test("mnist: plain and packed files, in a folder or in torchvision's place inside it", () =>
  withFolder(async (folder) => {
    for (
      const [place, ending, spelling] of [["a", "", "-idx"], ["b/MNIST/raw", ".gz", "-idx"], [
        "c",
        "",
        ".idx",
      ]]
    ) {
      for (const [name, bytes] of Object.entries(files())) {
        const file = join(folder, place!, name.replace("-idx", spelling!) + ending);
        await put(file, ending ? gzipSync(bytes) : bytes);
      }
      const { train, test, normalize } = await loadMnist(join(folder, place!.split("/")[0]!));
      assert.deepEqual([...test.labels], [0, 1, 2]);
      assert.deepEqual([train.channels, train.height, train.width], [1, 32, 32]);
      assert.deepEqual([normalize.mean, normalize.std], [[0.1307], [0.3081]]);
      const image = train.stored.images.subarray(11 * 1024, 12 * 1024);
      const wanted = (y: number, x: number) => y >= 2 && y < 30 && x >= 2 && x < 30 ? 21 : 0;
      assert.ok(image.every((byte, i) => byte === wanted(i >> 5, i & 31)), "in a black frame");
    }
  }));

Deno.test("mnist: downloaded where it is missing, and checked", () =>
  withFolder(async (folder) => {
    const packed = Object.fromEntries(
      Object.entries(files()).map(([name, bytes]) => [name, gzipSync(bytes)]),
    );
    const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, (request) => {
      const bytes = packed[new URL(request.url).pathname.slice(1).replace(".gz", "")];
      return bytes ? new Response(bytes as BodyInit) : new Response(null, { status: 404 });
    });
    try {
      const url = `http://127.0.0.1:${server.addr.port}/`;
      const md5Of = (bytes: Uint8Array) => createHash("md5").update(bytes).digest("hex");
      const md5 = Object.fromEntries(Object.entries(packed).map(([name, bytes]) => [name, md5Of(bytes)]));
      const { train } = await loadMnist(join(folder, "new"), { source: { url, md5 } });
      assert.equal(train.labels.length, 12);
      assert.equal(namesIn(join(folder, "new")).length, 4);
      const wrong = { url, md5: { ...md5, "t10k-labels-idx1-ubyte": "0".repeat(32) } };
      await assert.rejects(
        loadMnist(join(folder, "other"), { source: wrong }),
        /its md5 is .* and should be 0{32}/,
      );
    } finally {
      await server.shutdown();
    }
  }));

Deno.test("mnist: damaged files are told by name", () =>
  withFolder(async (folder) => {
    const damaged: [string, (bytes: Uint8Array) => Uint8Array, RegExp][] = [
      ["train-images-idx3-ubyte", (bytes) =>
        bytes.subarray(0, -1), /9407 bytes of data, expected 12 × 28 × 28/],
      ["train-images-idx3-ubyte", () =>
        new Uint8Array(5), /5 bytes are too few/],
      ["train-images-idx3-ubyte", () =>
        idx([1, 14, 56], () => 0), /images of 14×56, expected 28×28/],
      ["train-labels-idx1-ubyte", () => idx([11], () => 0), /11 labels for the 12 images/],
      ["t10k-labels-idx1-ubyte", () => idx([3], () => 10), /label 0 is 10, expected 0 to 9/],
      ["t10k-labels-idx1-ubyte", (bytes) => bytes.with(2, 13), /of type 13/],
      ["t10k-labels-idx1-ubyte", (bytes) => bytes.with(0, 1), /two zero bytes/],
      ["t10k-images-idx3-ubyte", () => idx([3], () => 0), /it has 1 axes, expected 3|too few/],
    ];
    for (const [name, damage, message] of damaged) {
      const all = files();
      all[name] = damage(all[name]!);
      for (const [file, bytes] of Object.entries(all)) await put(join(folder, file), bytes);
      await assert.rejects(loadMnist(folder), (error: Error) => {
        assert.equal(error.name, "UserError");
        assert.match(error.message, message);
        assert.ok(
          error.message.includes(name.replace("train-labels", "train-")) || error.message.includes(name),
        );
        return true;
      });
    }
    await Deno.remove(join(folder, "train-images-idx3-ubyte"));
    await put(join(folder, "train-images-idx3-ubyte.gz"), "no gzip");
    await assert.rejects(loadMnist(folder), /train-images-idx3-ubyte\.gz: not a readable \.gz/);
  }));
