import assert from "node:assert/strict";
import { join } from "node:path";
import { compare } from "../../cli/compare.ts";
import { put } from "../support/pictures.ts";
import { printed } from "../support/printed.ts";
import { withFolder } from "../support/temp_folder.ts";

/** A run's folder with these settings and epochs. */
async function putRun(folder: string, config: object, accuracies: readonly number[]): Promise<void> {
  const rows = accuracies.map((accuracy, i) =>
    `${i + 1},1.5,0.4,${1 - accuracy},${accuracy},0.01,${60 + i},${200 - i}`
  );
  const header = "epoch,train_loss,train_accuracy,test_loss,test_accuracy,lr,seconds,images_per_second";
  await put(join(folder, "config.json"), JSON.stringify(config));
  await put(join(folder, "log.csv"), [header, ...rows, ""].join("\n"));
}

const common = { model: "resnet20", dataset: "cifar10", epochs: 3, classes: ["a"], images: { hash: "1" } };

Deno.test("compare: settings that differ and figures, as a table, JSON and a plot", () =>
  withFolder(async (folder) => {
    const [a, b, c] = ["a", "b", "c"].map((name) => join(folder, name)) as [string, string, string];
    await putRun(a, { ...common, lr: 0.1, milestones: [] }, [0.5, 0.75, 0.7]);
    await putRun(b, { ...common, lr: 0.2, milestones: [1, 2] }, [0.6]);
    await putRun(c, { ...common, lr: 0.2, milestones: [] }, []);
    const svg = join(folder, "runs.svg");
    const table = await printed(compare, a, b, c, "--output", svg);
    assert.deepEqual(table.out.split("\n"), [
      "run  lr   milestones  epochs  best test accuracy  in epoch  time  images/s",
      "a    0.1  -                3             75.00 %         2  3:03       199",
      "b    0.2  1,2         1 of 3             60.00 %         1  1:00       200",
      "c    0.2  -           0 of 3                   -         -  0:00         -",
    ]);
    const drawn = await Deno.readTextFile(svg);
    assert.match(drawn, /^<svg/);
    for (const text of ["Test accuracy", "Test loss", ">a<", ">b<"]) assert.ok(drawn.includes(text), text);

    const json = JSON.parse((await printed(compare, a, b, "--json")).out);
    assert.deepEqual([json.same_images, json.differing], [true, ["lr", "milestones"]]);
    const { settings, ...figures } = json.runs[0];
    assert.equal(settings.lr, 0.1);
    const best = { best_accuracy: 0.75, best_epoch: 2 };
    assert.deepEqual(figures, { run: a, epochs: 3, ...best, seconds: 183, images_per_second: 199 });
  }));

Deno.test("compare: a network that takes seconds for an image is not told to take none", () =>
  withFolder(async (folder) => {
    const rows = ["epoch,test_accuracy,seconds,images_per_second", "1,0.5,9,0.4", "2,0.5,9,12.6", ""];
    await put(join(folder, "slow", "config.json"), JSON.stringify({ ...common, epochs: 1 }));
    await put(join(folder, "slow", "log.csv"), rows.toSpliced(2, 1).join("\n"));
    await put(join(folder, "fast", "config.json"), JSON.stringify({ ...common, epochs: 1 }));
    await put(join(folder, "fast", "log.csv"), rows.toSpliced(1, 1).join("\n"));
    const { out } = await printed(compare, join(folder, "slow"), join(folder, "fast"));
    assert.deepEqual(out.split("\n").map((line) => line.split(/ +/).at(-1)), ["images/s", "0.4", "13"]);
  }));

Deno.test("compare: runs on different images are told apart, and mistakes have their lines", () =>
  withFolder(async (folder) => {
    const [a, b, c] = ["a", "b", "x/a"].map((name) => join(folder, name)) as [string, string, string];
    await putRun(a, common, [0.5]);
    await putRun(b, { ...common, images: { hash: "2" } }, [0.5]);
    await putRun(c, common, []);
    assert.match(
      (await printed(compare, a, b)).err,
      /^Note: the runs were not all trained and tested on the same/,
    );
    const [, ...rows] = (await printed(compare, a, c)).out.split("\n");
    assert.ok(rows[0]!.startsWith(a) && rows[1]!.startsWith(c)); // Both are called a.
    await put(join(folder, "bad", "config.json"), "{");
    const cases: [args: string[], message: RegExp][] = [
      [[], /compare needs the folders of runs/],
      [[folder], /no run's folder: there is no config\.json/],
      [[a, join(folder, "b", "..", "a")], /is named twice/],
      [[a, "--output", "runs.png"], /--output runs\.png: must end in \.svg/],
      [[c, "--output", join(folder, "none.svg")], /no run has finished an epoch/],
      [[join(folder, "bad")], /config\.json: not JSON/],
    ];
    for (const [args, message] of cases) {
      await assert.rejects(printed(compare, ...args), message, args.join(" "));
    }
  }));
