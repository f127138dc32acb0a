import assert from "node:assert/strict";
import { join } from "node:path";
import { newProgress } from "../../core/train/progress.ts";
import { writeSafetensors } from "../../core/format/safetensors.ts";
import { copyRun, findBest, setAside } from "../../host/going_back.ts";
import { namesIn, withFolder } from "../support/temp_folder.ts";

/** How far a run is after so many batches, two to an epoch. */
const after = (batches: number, best_epoch = 0) => ({
  ...newProgress(),
  epoch: Math.floor(batches / 2),
  batches,
  best_epoch,
});

/** Writes a run of five epochs and a batch: the best was the third, then the fifth. */
async function writeRun(folder: string): Promise<void> {
  const batches = {
    "last.safetensors": 11,
    "best.safetensors": 10,
    "best-0.8000-epoch-3.safetensors": 6,
    "best-0.9000-epoch-5.safetensors": 10,
    "epoch-2.safetensors": 4,
    "epoch-4.safetensors": 8,
  };
  for (const [name, count] of Object.entries(batches)) {
    const metadata = {
      "strata.format": "1",
      "strata.model": "net",
      "strata.progress": JSON.stringify(after(count, count < 10 ? 3 : 5)),
      "strata.config": "{}",
    };
    await Deno.writeFile(join(folder, name), writeSafetensors(new Map(), metadata));
  }
  for (const name of ["log.csv", "config.json", "curves.svg", "notes.txt"]) {
    await Deno.writeTextFile(join(folder, name), name);
  }
}

Deno.test("a run that goes back sets aside what is later, which is a run of its own", async () => {
  await withFolder(async (folder) => {
    await writeRun(folder);
    assert.equal(await setAside(join(folder, "last.safetensors"), after(2)), undefined);
    assert.equal(await setAside(join(folder, "epoch-4.safetensors"), after(11)), undefined);
    await Deno.writeTextFile(join(folder, "epoch-5.safetensors"), "damaged");
    const aside = await setAside(join(folder, "epoch-4.safetensors"), after(8));
    assert.equal(aside, join(folder, "after-epoch-4"));
    assert.deepEqual(namesIn(aside), [
      "best-0.8000-epoch-3.safetensors",
      "best-0.9000-epoch-5.safetensors",
      "best.safetensors",
      "config.json",
      "curves.svg",
      "epoch-5.safetensors",
      "last.safetensors",
      "log.csv",
    ]);
    assert.deepEqual(namesIn(folder), [
      "after-epoch-4",
      "best-0.8000-epoch-3.safetensors",
      "config.json",
      "curves.svg",
      "epoch-2.safetensors",
      "epoch-4.safetensors",
      "log.csv",
      "notes.txt",
    ]);
    // The best weights are still among the best.
    assert.equal((await findBest(folder, 3))?.batches, 6);
    assert.ok(namesIn(folder).includes("best.safetensors"));

    await Deno.rename(join(aside, "last.safetensors"), join(folder, "last.safetensors"));
    const again = await setAside(join(folder, "epoch-4.safetensors"), after(8));
    assert.equal(again, join(folder, "after-epoch-4-2"));
    // The best weights are of before now: both runs have them, as far as there are any.
    assert.equal((await findBest(again, 3))?.batches, 6);
    assert.ok(namesIn(folder).includes("best.safetensors"));
  });
});

Deno.test("a run that goes on elsewhere takes along what it has by then", async () => {
  await withFolder(async (folder) => {
    const [from, early, late] = ["from", "early", "late"].map((name) => join(folder, name)) as [
      string,
      string,
      string,
    ];
    for (const path of [from, early, late]) await Deno.mkdir(path);
    await copyRun(from, early, after(8));
    assert.deepEqual(namesIn(early), []);
    await writeRun(from);
    await copyRun(from, early, after(8));
    assert.deepEqual(namesIn(early), ["best-0.8000-epoch-3.safetensors", "log.csv"]);
    assert.equal(await findBest(early, 4), undefined);
    await copyRun(from, late, after(11));
    const ranked = ["best-0.8000-epoch-3.safetensors", "best-0.9000-epoch-5.safetensors"];
    assert.deepEqual(namesIn(late), [...ranked, "best.safetensors", "log.csv"]);
    assert.equal((await findBest(late, 4))?.best_epoch, 5);
  });
});
