import assert from "node:assert/strict";
import { join } from "node:path";
import { freeFolder } from "../../../host/detection/folder.ts";
import { namesIn, withFolder } from "../../support/temp_folder.ts";

Deno.test("commands that begin at the same time have folders of their own", () =>
  withFolder(async (folder) => {
    const usual = join(folder, "detected"), named = join(folder, "named");
    const [one, other] = [await freeFolder(undefined, usual), await freeFolder(undefined, usual)];
    const [first, second] = [await freeFolder(named, usual), await freeFolder(named, usual)];
    assert.deepEqual(namesIn(folder), [], "nothing is made before it is needed");
    await Deno.writeTextFile(usual, "a file of that name");
    const made = await Promise.all([one(), other()]);
    assert.deepEqual(made.sort(), [`${usual}-2`, `${usual}-3`]);
    assert.equal(await first(), named);
    await assert.rejects(second(), /^UserError: --output .*named: is not empty/);
  }));

Deno.test("an empty folder that is named will do; a full one and a file will not", () =>
  withFolder(async (folder) => {
    const [empty, full, file] = ["empty", "full", "file"].map((name) => join(folder, name)) as [
      string,
      string,
      string,
    ];
    await Deno.mkdir(empty);
    await Deno.mkdir(join(full, "mine"), { recursive: true });
    await Deno.writeTextFile(file, "mine");
    assert.equal(await (await freeFolder(empty, "detected"))(), empty);
    await assert.rejects(freeFolder(full, "detected"), /is not empty, and nothing there is written over/);
    await assert.rejects(freeFolder(file, "detected"), /^UserError: --output .*file: /);
  }));
