/** Two processes, or two calls, that would train into one folder. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { train } from "../../cli/train.ts";
import { lockRun } from "../../host/run_lock.ts";
import { printed } from "../support/printed.ts";
import { namesIn } from "../support/temp_folder.ts";
import { withCifar } from "../support/tiny_run.ts";

const loose = { sanitizeOps: false, sanitizeResources: false };

/** Within a folder, and within a second that does not end. */
async function standingStillIn<T>(folder: string, body: () => Promise<T>): Promise<T> {
  const before = Deno.cwd();
  const { toISOString } = Date.prototype;
  Date.prototype.toISOString = () => "2026-11-22T10:15:00.000Z";
  Deno.chdir(folder);
  try {
    return await body();
  } finally {
    Deno.chdir(before);
    Date.prototype.toISOString = toISOString;
  }
}

Deno.test(
  "two new runs that begin in the same second have folders of their own",
  loose,
  () =>
    withCifar((small, folder) =>
      standingStillIn(folder, async () => {
        const settings = [...small, "--epochs", "1", "--no-pictures", "--threads", "1"];
        const both = () => Promise.all([train(settings), train(settings)]).then(([a, b]) => a + b);
        const { code } = await printed(both);
        assert.equal(code, 0);
        const runs = namesIn("runs");
        assert.deepEqual(runs, ["net-cifar10-20261122-101500", "net-cifar10-20261122-101500-2"]);
        for (const run of runs) {
          const names = namesIn(join("runs", run));
          assert.deepEqual(names, ["best.safetensors", "config.json", "last.safetensors", "log.csv"]);
        }
      })
    ),
);

Deno.test(
  "a run that is going on is not gone on with a second time",
  loose,
  () =>
    withCifar((small, folder) =>
      standingStillIn(folder, async () => {
        const own = small.slice(0, 2), run = join("runs", "one");
        const settings = [...small, "--epochs", "1", "--no-pictures", "--threads", "1"];
        await printed(train, ...settings, "--output", run);
        const more = [...own, "--epochs", "2", "--no-pictures", "--threads", "1"];
        const auto = async () => (await printed(train, ...more, "--resume", "auto", "--print-config")).err;
        const lock = await lockRun(run);
        const before = await Deno.readFile(join(run, "last.safetensors"));
        await assert.rejects(
          train([...more, "--resume", run]),
          /^UserError: runs.one: this run is going on in another process; end that one first/,
        );
        await assert.rejects(train([...more, "--resume", "auto", "--output", run]), /is going on in another/);
        assert.match(await auto(), /^--resume auto: no unfinished run fits/);
        // Beside it another may begin where it is.
        const branch = await printed(train, ...more, "--resume", run, "--output", "branch");
        assert.equal(branch.code, 0, branch.err);
        assert.deepEqual(await Deno.readFile(join(run, "last.safetensors")), before);
        lock[Symbol.dispose]();
        assert.match(await auto(), /^--resume auto: goes on with runs.one$/m);
        assert.equal((await printed(train, ...more, "--resume", run)).code, 0);
        assert.ok(!namesIn(run).includes(".lock"));
      })
    ),
);
