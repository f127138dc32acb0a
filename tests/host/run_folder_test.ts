import assert from "node:assert/strict";
import { join } from "node:path";
import { checkRoomForRun, checkWritable, refuseOldRun, saveRanked, tidy } from "../../host/run_folder.ts";
import { namesIn, withFolder } from "../support/temp_folder.ts";

Deno.test("a folder has a run once it has a checkpoint to go on from, or weights to lose", async () => {
  await withFolder(async (folder) => {
    await refuseOldRun(join(folder, "not there"));
    await Deno.writeTextFile(join(folder, "config.json"), "{}");
    await refuseOldRun(folder);
    for (
      const [name, message] of [
        ["last.safetensors", /there is a run already; resume it with --resume/],
        [
          "best.safetensors",
          /there is best\.safetensors of a run, without last\.safetensors to go on from; move/,
        ],
      ] as const
    ) {
      await Deno.writeTextFile(join(folder, name), "");
      await assert.rejects(refuseOldRun(folder), message);
      await Deno.remove(join(folder, name));
    }
  });
});

Deno.test("looking whether a folder can be written to leaves no trace", async () => {
  await withFolder(async (folder) => {
    await checkWritable(folder);
    await checkWritable(join(folder, "new"));
    await checkWritable(join(folder, "new", "within", "new"));
    assert.deepEqual(namesIn(folder), []);
    const file = join(folder, "file");
    await Deno.writeTextFile(file, "");
    for (const place of [file, join(file, "below")]) {
      await assert.rejects(
        checkWritable(place),
        /^UserError: --output .*file.*: cannot write there \(.+\); choose/,
      );
    }
    await assert.rejects(checkWritable(file, "--explain"), /^UserError: --explain .*: cannot write there/);
  });
});

Deno.test("what a killed run left half-written is removed, and nothing else", async () => {
  await withFolder(async (folder) => {
    const kept = [".last.safetensors.tmp", ".notes.txt.0123abcd.tmp", "last.safetensors"];
    const left = [".last.safetensors.0123abcd.tmp", ".curves.svg.00000000.tmp", ".probe.ffffffff.tmp"];
    for (const name of [...kept, ...left]) await Deno.writeTextFile(join(folder, name), "");
    await tidy(folder);
    assert.deepEqual(namesIn(folder), kept);
  });
});

Deno.test("a disk without room for two checkpoints is refused; the one that is there counts", async () => {
  await withFolder(async (folder) => {
    await checkRoomForRun(folder, 1000);
    await assert.rejects(checkRoomForRun(folder, 1e18), /^UserError: --output .*its disk has .* left/);
    await Deno.writeTextFile(join(folder, "last.safetensors"), "x".repeat(100));
    await checkRoomForRun(folder, 50);
  });
});

Deno.test("the K best epochs are kept, though four digits do not tell them apart", async () => {
  await withFolder(async (folder) => {
    const scores = new Map<number, number>();
    const save = async (score: number) => {
      scores.set(scores.size + 1, score);
      await saveRanked(
        folder,
        2,
        scores.size,
        scores,
        () => Promise.resolve({ tensors: new Map(), metadata: {} }),
      );
      return namesIn(folder).map((name) =>
        /^best-0\.(\d{4})-epoch-(\d)\.safetensors$/.exec(name)!.slice(1).join(":")
      );
    };
    assert.deepEqual(await save(0.9), ["9000:1"]);
    assert.deepEqual(await save(0.90002), ["9000:1", "9000:2"]);
    assert.deepEqual(await save(0.90004), ["9000:2", "9000:3"]);
    assert.deepEqual(await save(0.90003), ["9000:3", "9000:4"]);
    assert.deepEqual(await save(0.90001), ["9000:3", "9000:4"]);
    // Of equal ones the earlier.
    assert.deepEqual(await save(0.90003), ["9000:3", "9000:4"]);
  });
});
