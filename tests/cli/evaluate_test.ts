import assert from "node:assert/strict";
import { join } from "node:path";
import sharp from "sharp";
import { evaluate } from "../../cli/evaluate.ts";
import { predict } from "../../cli/predict.ts";
import { preview } from "../../cli/preview.ts";
import { train } from "../../cli/train.ts";
import { idx } from "../support/idx_file.ts";
import { printed } from "../support/printed.ts";
import { photograph, put } from "../support/pictures.ts";
import { smallNet, smallRun, withCifar } from "../support/tiny_run.ts";
import { namesIn, withFolder } from "../support/temp_folder.ts";

const loose = { sanitizeOps: false, sanitizeResources: false };
const line = /^Accuracy of the model on the test images: \d+\.\d\d %$/m;

Deno.test(
  "evaluate: a run's weights are as good as its training said",
  loose,
  () =>
    withFolder(async (folder) => {
      const { out } = await smallRun(folder, "run");
      const [said] = line.exec(out)!;
      const run = join(folder, "run"),
        output = join(folder, "results"),
        net = ["--model", join(folder, "net.ts")];
      const found = await printed(evaluate, run, ...net, "--output", output);
      assert.equal(found.code, 0);
      const lines = found.out.split("\n");
      assert.equal(lines.at(-1), said);
      assert.match(lines[0]!, /^net of .*best\.safetensors on digits: 355 images, 10 classes$/);
      assert.match(lines[2]!, /^class +precision +recall +F1 +images$/);
      assert.match(lines[3]!, /^0( +[01]\.\d{4}){3} +35$/);
      assert.match(lines[13]!, /^average( +[01]\.\d{4}){3} +355$/);
      const files = ["classes.csv", "classes.svg", "confusion.svg", "evaluation.json", "mistakes.png"];
      assert.deepEqual(namesIn(output), files);
      await assert.rejects(evaluate([run, "--output", run]), /is a run's folder/);

      const json = JSON.parse((await printed(evaluate, join(run, "last.safetensors"), ...net, "--json")).out);
      assert.equal(`${(100 * json.accuracy).toFixed(2)} %`, said.split(": ")[1]);
      assert.deepEqual(json, {
        ...JSON.parse(await Deno.readTextFile(join(output, "evaluation.json"))),
        weights: join(run, "last.safetensors"),
      });
      const diagonal = json.confusion.reduce((sum: number, row: number[], i: number) => sum + row[i]!, 0);
      assert.equal(diagonal, Math.round(355 * json.accuracy));

      await assert.rejects(
        evaluate([run, ...net, "--tta"]),
        /^UserError: --tta is not for digits: mirrored digits/,
      );
    }),
);

Deno.test(
  "evaluate: a folder of new images is tested as a whole, with classes by their names",
  loose,
  () =>
    withFolder(async (folder) => {
      const data = join(folder, "data"), other = join(folder, "other");
      for (let i = 0; i < 4; i++) {
        await put(join(data, "blue", `${i}.jpg`), await photograph(20, 30, 180 + 5 * i));
        await put(join(data, "red", `${i}.jpg`), await photograph(180 + 5 * i, 30, 20));
        await put(join(other, "red", `${i}.jpg`), await photograph(170 + 5 * i, 40, 20));
      }
      const small = ["--input", "3x32x32", "--batch-size", "2", "--epochs", "12", "--lr", "0.05"];
      await smallRun(folder, "run", "--data", data, ...small);
      const run = join(folder, "run");
      const given = ["--model", join(folder, "net.ts"), "--json", "--threads", "2"];
      const told = async (...args: string[]) =>
        JSON.parse((await printed(evaluate, run, ...given, ...args)).out);
      const own = await told();
      assert.deepEqual([own.dataset, own.images, own.accuracy], ["data", 2, 1]);
      const averaged = await told("--tta");
      assert.equal(averaged.tta, "flip");
      assert.notEqual(averaged.loss, own.loss);
      const crops = await told("--tta", "ten-crop");
      assert.deepEqual([crops.tta, crops.images, crops.accuracy], ["ten-crop", 2, 1]);
      assert.notEqual(crops.loss, own.loss);
      assert.notEqual(crops.loss, averaged.loss);
      const some = ["--data", other, "--limit-batches", "1"];
      assert.deepEqual((await told(...some)).confusion, [[0, 0], [0, 2]]);
      await assert.rejects(
        told("--tta", "ten-crop", "--val-resize-size", "20"),
        /^UserError: --tta ten-crop: --val-resize-size 20 leaves no 32 pixels to crop/,
      );
      // Only the second of the run's two classes.
      const foreign = await told("--data", other);
      assert.deepEqual([foreign.dataset, foreign.images, foreign.accuracy], ["other", 4, 1]);
      assert.deepEqual(foreign.confusion, [[0, 0], [0, 4]]);
      const undivided = join(folder, "undivided");
      for (let i = 0; i < 4; i++) {
        await put(join(undivided, "train", "red", `${i}.jpg`), await photograph(170 + 5 * i, 40, 20));
      }
      assert.equal((await told("--data", undivided)).images, 4);
      assert.equal((await told("--data", undivided, "--val-split", "0.5")).images, 2);
      const names = await put(join(folder, "names.txt"), "red\nblue\n");
      assert.equal((await told("--data", other, "--classes", names)).accuracy, 0);
      await Deno.rename(join(other, "red"), join(other, "green"));
      await assert.rejects(told("--data", other), /other: green is none of the 2 classes .*: blue, red$/);
      const wrong = await put(join(folder, "wrong.txt"), "red\n");
      await assert.rejects(told("--classes", wrong), /wrong\.txt: 1 lines, and .* has 2 classes/);
    }),
);

Deno.test(
  "evaluate: weights of no run need a network, and normalised images make a difference",
  loose,
  () =>
    withFolder(async (folder) => {
      const { out } = await smallRun(folder, "run");
      const [said] = line.exec(out)!;
      const { convert } = await import("../../cli/convert.ts");
      const plain = join(folder, "plain.pth");
      const model = await smallNet(folder);
      await printed(convert, join(folder, "run", "best.safetensors"), plain, "--model", model);
      const digits = ["--model", model, "--dataset", "digits"];
      assert.equal((await printed(evaluate, plain, ...digits)).out.split("\n").at(-1), said);
      const same = ["--mean", "0.3051", "--std", "0.3238,0.3238,0.3238"];
      assert.equal((await printed(evaluate, plain, ...digits, ...same)).out.split("\n").at(-1), said);
      const raw = await printed(evaluate, plain, ...digits, "--mean", "0", "--std", "1/255");
      assert.notEqual(raw.out.split("\n").at(-1), said);
      const cases: [args: string[], message: RegExp][] = [
        [[], /evaluate needs weights/],
        [[plain, plain], /is one too many/],
        [[plain, plain, "--tta"], /is one too many/],
        [[plain, "--tta", "tencrop"], /--tta tencrop: there is none of that name; did you mean ten-crop\?/],
        [[join(folder, "none")], /there is no such file or folder/],
        [[folder], /no run's folder/],
        [[plain], /it does not say which network/],
        [[plain, "--model", model], /it does not say what to test it on: name --dataset or --data/],
        [[plain, "--model", "resnet20", "--dataset", "digits"], /weights of another network: .* --model$/m],
        [[plain, ...digits, "--input", "1x32x32"], /weights/],
        [[plain, ...digits, "--mean", "1"], /--mean and --std go together/],
        [[plain, ...digits, "--mean", "1", "--std", "0"], /--std must be one number above 0 or three/],
        [[plain, ...digits, "--val-split", "0.5"], /--val-split has no effect with --dataset digits/],
      ];
      for (const [args, message] of cases) await assert.rejects(evaluate(args), message, args.join(" "));
    }),
);

Deno.test(
  "evaluate: the run's own test, where it was on few images",
  loose,
  () =>
    withFolder(async (folder) => {
      const net = ["--model", join(folder, "net.ts")];
      const check = async (name: string, count: number, note: RegExp, ...flags: string[]) => {
        const { out } = await smallRun(folder, name, ...flags, "--lr", "0.01", "--no-pictures");
        const run = join(folder, name);
        // However many are tested at once.
        const again = await printed(evaluate, run, ...net, "--batch-size", "50");
        assert.ok(again.out.includes(`on digits: ${count} images`), again.out);
        assert.equal(line.exec(again.out)?.[0], line.exec(out)![0]);
        assert.match(again.err, note);
        const only = await printed(train, "--resume", run, ...net, "--evaluate-only");
        assert.equal(line.exec(only.out)?.[0], line.exec(out)![0]);
      };
      const learnt = /^Note: tests on the 64 images that the run learnt by heart \(--overfit-batches\)$/m;
      await check("learnt", 64, learnt, "--overfit-batches", "2", "--batch-size", "32", "--epochs", "20");
      const few = /^Note: tests on 96 of 355 images, as the run did; --limit-batches 0 on all$/m;
      await check("few", 96, few, "--limit-batches", "3", "--batch-size", "32", "--epochs", "3");
      const all = await printed(evaluate, join(folder, "few"), ...net, "--limit-batches", "0", "--json");
      assert.deepEqual([JSON.parse(all.out).images, all.err], [355, ""]);
    }),
);

Deno.test(
  "evaluate: a large photograph is seen as predict sees it",
  loose,
  () =>
    withFolder(async (folder) => {
      const data = join(folder, "data"), large = join(folder, "large");
      for (let i = 0; i < 4; i++) {
        await put(join(data, "blue", `${i}.jpg`), await photograph(20, 30, 180 + 5 * i));
        await put(join(data, "red", `${i}.jpg`), await photograph(180 + 5 * i, 30, 20));
      }
      const small = ["--input", "3x32x32", "--batch-size", "2", "--epochs", "2"];
      await smallRun(folder, "run", "--data", data, ...small);
      const run = join(folder, "run"), given = ["--model", join(folder, "net.ts"), "--json"];
      const [width, height] = [2000, 600];
      const noise = Uint8Array.from({ length: width * height * 3 }, (_, i) => (i * i) % 251);
      const jpeg = await sharp(noise, { raw: { width, height, channels: 3 } }).jpeg().toBuffer();
      const file = await put(join(large, "red", "1.jpg"), jpeg);
      const evaluated = JSON.parse((await printed(evaluate, run, "--data", large, ...given)).out);
      const predicted = JSON.parse((await printed(predict, run, file, ...given)).out);
      const { predictions } = predicted.images[0];
      const { probability } = predictions.find((one: { class: string }) => one.class === "red");
      assert.ok(Math.abs(Math.exp(-evaluated.loss) - probability) < 1e-6, `${evaluated.loss} ${probability}`);
    }),
);

Deno.test(
  "evaluate: a digit of MNIST is seen as predict sees its image file, and as a folder of such files",
  loose,
  () =>
    withFolder(async (folder) => {
      const data = join(folder, "data"), files = join(folder, "files");
      const grey = (i: number) => (i * i + 7 * Math.floor(i / 28)) % 251;
      for (const [part, count] of [["train", 40], ["t10k", 1]] as const) {
        await put(join(data, `${part}-images-idx3-ubyte`), idx([count, 28, 28], grey));
        await put(join(data, `${part}-labels-idx1-ubyte`), idx([count], (i) => (i + 3) % 10));
      }
      await smallRun(folder, "run", "--dataset", "mnist", "--data", data, "--batch-size", "4");
      const run = join(folder, "run"), given = ["--model", join(folder, "net.ts"), "--json"];
      const raw = { width: 28, height: 28, channels: 1 } as const;
      const png = await sharp(Uint8Array.from({ length: 784 }, (_, i) => grey(i)), { raw }).png().toBuffer();
      const file = await put(join(files, "3", "1.png"), png);
      const { loss } = JSON.parse((await printed(evaluate, run, ...given)).out);
      const predicted = JSON.parse((await printed(predict, run, file, ...given, "--top-k", "10")).out);
      const isThree = (one: { class: string }) => one.class === "3";
      const { probability } = predicted.images[0].predictions.find(isThree);
      assert.ok(Math.abs(Math.exp(-loss) - probability) < 1e-6, `${loss} ${probability}`);
      const again = JSON.parse((await printed(evaluate, run, "--data", files, ...given)).out);
      assert.deepEqual([again.dataset, again.loss], ["files", loss]);
      await assert.rejects(
        evaluate([run, "--data", files, ...given, "--tta", "ten-crop"]),
        /^UserError: --tta ten-crop: these weights see images whole/,
      );
    }),
);

Deno.test(
  "evaluate: damaged images are named in its JSON, as they are in the run's folder",
  loose,
  () =>
    withFolder(async (folder) => {
      const data = join(folder, "data");
      for (const name of ["blue", "red"]) {
        for (let i = 0; i < 3; i++) {
          await put(join(data, "train", name, `${i}.jpg`), await photograph(9, 9, i));
        }
        await put(join(data, "val", name, "1.jpg"), await photograph(9, 9, 9));
      }
      const whole = await photograph(250, 250, 250, 64, 64);
      const cut = whole.subarray(0, whole.length / 2);
      const [header, body, tested] = [
        await put(join(data, "train/blue/header.jpg"), "no image"),
        await put(join(data, "train/red/body.jpg"), cut),
        await put(join(data, "val/red/body.jpg"), cut),
      ];
      const small = ["--data", data, "--input", "3x32x32", "--batch-size", "1"];
      const trained = await smallRun(folder, "run", ...small);
      const net = ["--model", join(folder, "net.ts")];
      const run = join(folder, "run"), list = join(run, "damaged.txt");
      assert.ok(trained.out.includes(`Note: all damaged images are named in ${list}`));
      const lines = (await Deno.readTextFile(list)).trimEnd().split("\n").map((line) => line.split("\t"));
      assert.deepEqual(lines.map(([file]) => file), [header, body, tested]);
      assert.match(lines[0]![1]!, /unsupported image format$/);
      const { damaged, images } = JSON.parse((await printed(evaluate, run, ...net, "--json")).out);
      assert.equal(images, 2);
      assert.deepEqual(damaged.map(({ file }: { file: string }) => file), [tested]);
      assert.match(damaged[0].why, /premature end/i);
      for (const name of ["blue/1.jpg", "red/1.jpg"]) await put(join(data, "val", name), cut);
      await assert.rejects(evaluate([run, ...net]), /^UserError: data: no image to test on can be decoded$/);
    }),
);

/** Runs `body` where every download gets these bytes; returns the addresses that were asked for. */
async function downloading(bytes: Uint8Array<ArrayBuffer>, body: () => Promise<void>): Promise<string[]> {
  const asked: string[] = [];
  const { fetch } = globalThis;
  globalThis.fetch = (url) => {
    asked.push(String(url));
    return Promise.resolve(new Response(bytes, { headers: { "content-length": String(bytes.length) } }));
  };
  try {
    await body();
  } finally {
    globalThis.fetch = fetch;
  }
  return asked;
}

Deno.test(
  "evaluate: what learnt a data set that can be downloaded is tested on photographs, and nothing is put among them",
  loose,
  () =>
    withCifar(async (small, folder) => {
      await smallRun(folder, "run", ...small.slice(2), "--no-pictures");
      const run = join(folder, "run"), photos = join(folder, "photos"), empty = join(folder, "empty");
      await put(join(photos, "cat", "1.jpg"), await photograph(20, 30, 180));
      await put(join(photos, "dog", "1.jpg"), await photograph(180, 30, 20));
      await Deno.mkdir(empty);
      const given = [...small.slice(0, 2), "--json"];
      const asked = await downloading(Uint8Array.of(1), async () => {
        const told = async (data: string) =>
          JSON.parse((await printed(evaluate, run, "--data", data, ...given)).out);
        const found = await told(photos);
        assert.deepEqual([found.dataset, found.images], ["photos", 2]);
        const copy = join(folder, "copy", "cifar-10-batches-bin");
        await Deno.mkdir(copy, { recursive: true });
        for (const name of namesIn(join(folder, "data"))) {
          await Deno.copyFile(join(folder, "data", name), join(copy, name));
        }
        assert.deepEqual([(await told(join(folder, "copy"))).dataset], ["cifar10"]);
        await assert.rejects(
          told(join(folder, "none")),
          /^UserError: --data .*none: there is no such folder$/,
        );
        await assert.rejects(told(empty), /there are no folders with images, .* named by --dataset$/);
      });
      assert.deepEqual([asked, namesIn(photos), namesIn(empty)], [[], ["cat", "dog"], []]);
      // Where it is asked for, it is downloaded, and told of.
      const here = ["--dataset", "cifar10", "--data", empty];
      for (const command of [() => evaluate([run, ...given, ...here]), () => preview(here)]) {
        const told: unknown[] = [];
        const { error } = console;
        console.error = (line: unknown) => told.push(line);
        const asked = await downloading(new Uint8Array(2e6), async () => {
          await assert.rejects(command(), /its md5 is/);
        }).finally(() => console.error = error);
        assert.deepEqual([asked.length, told], [1, ["Downloading 2.0 MB"]]);
        await Deno.remove(join(empty, "cifar-10-binary.tar.gz.part"));
      }
    }),
);
