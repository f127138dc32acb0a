import assert from "node:assert/strict";
import { join } from "node:path";
import { makeNewFolder } from "../../host/files.ts";
import { isGoingOn, lockRun } from "../../host/run_lock.ts";
import { namesIn, withFolder } from "../support/temp_folder.ts";

Deno.test("a run's folder has one owner, until that gives it back or is killed", () =>
  withFolder(async (folder) => {
    assert.equal(await isGoingOn(folder), false);
    const lock = await lockRun(folder);
    assert.deepEqual([await isGoingOn(folder), namesIn(folder)], [true, [".lock"]]);
    await assert.rejects(
      lockRun(folder),
      /^UserError: .*: this run is going on in another process; end that one/,
    );
    lock[Symbol.dispose]();
    assert.deepEqual([await isGoingOn(folder), namesIn(folder)], [false, []]);

    const module = new URL("../../host/run_lock.ts", import.meta.url);
    const script =
      `import { lockRun } from "${module}"; await lockRun("${folder}"); console.log("has it"); setTimeout(() => {}, 60_000);`;
    const other = new Deno.Command(Deno.execPath(), {
      args: ["eval", script],
      stdout: "piped",
    }).spawn();
    await other.stdout.values().next();
    assert.equal(await isGoingOn(folder), true);
    other.kill("SIGKILL");
    await other.status;
    assert.equal(await isGoingOn(folder), false);
    using _again = await lockRun(folder);
    assert.equal(await isGoingOn(folder), true);
  }));

Deno.test("a new folder is nobody else's, whoever asks at the same time", () =>
  withFolder(async (folder) => {
    const path = join(folder, "runs", "net");
    const made = await Promise.all([1, 2, 3].map(() => makeNewFolder(path)));
    assert.deepEqual(made.sort(), [path, `${path}-2`, `${path}-3`]);
    await Deno.writeTextFile(join(folder, "file"), "");
    await assert.rejects(
      makeNewFolder(join(folder, "file", "net")),
      /^UserError: .*cannot create this folder/,
    );
  }));
