import assert from "node:assert/strict";
import { join } from "node:path";
import { checkWritable, copyRun, refuseOldRun } from "../../host/run_folder.ts";
import { namesIn, withFolder } from "../support/temp_folder.ts";

Deno.test("a folder has a run once it has a checkpoint to go on from, or weights to lose", async () => {
  await withFolder(async (folder) => {
    await refuseOldRun(join(folder, "not there"));
    await Deno.writeTextFile(join(folder, "config.json"), "{}");
    await refuseOldRun(folder);
    for (const name of ["last.safetensors", "best.safetensors"]) {
      await Deno.writeTextFile(join(folder, name), "");
      await assert.rejects(refuseOldRun(folder), /there is a run already; resume it with --resume/);
      await Deno.remove(join(folder, name));
    }
  });
});

Deno.test("looking whether a folder can be written to leaves no trace", async () => {
  await withFolder(async (folder) => {
    await checkWritable(folder);
    await checkWritable(join(folder, "new"));
    assert.deepEqual(namesIn(folder), []);
    const file = join(folder, "file");
    await Deno.writeTextFile(file, "");
    for (const place of [file, join(file, "below")]) {
      await assert.rejects(
        checkWritable(place),
        /^UserError: --output .*file.*: cannot write there \(.+\); choose/,
      );
    }
  });
});

Deno.test("a run that goes on elsewhere takes along what it has", async () => {
  await withFolder(async (folder) => {
    const [from, to] = [join(folder, "from"), join(folder, "to")];
    await Deno.mkdir(from);
    await Deno.mkdir(to);
    await copyRun(from, to);
    for (const name of ["log.csv", "best.safetensors", "last.safetensors"]) {
      await Deno.writeTextFile(join(from, name), name);
    }
    await copyRun(from, to);
    assert.deepEqual(namesIn(to), ["best.safetensors", "log.csv"]);
    assert.equal(await Deno.readTextFile(join(to, "log.csv")), "log.csv");
  });
});
