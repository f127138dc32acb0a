import assert from "node:assert/strict";
import { dryRun, tryOptions } from "../../cli/dry_run.ts";
import type { RunConfig } from "../../cli/resume.ts";
import { createTrainer } from "../../core/train/trainer.ts";
import { printed } from "../support/printed.ts";
import { backendFor } from "../support/run_op.ts";
import { tinyOptions } from "../support/tiny.ts";

Deno.test(
  "a dry run has a folder only while it saves: whoever interrupts its training leaves nothing",
  { sanitizeOps: false, sanitizeResources: false },
  async () => {
    const options = { ...tinyOptions(), backend: await backendFor({ threads: 1 }) };
    const trainer = createTrainer(tryOptions(options));
    await trainer.initialise();
    const made: string[] = [];
    const { makeTempDir } = Deno;
    Deno.makeTempDir = async (options) => {
      const folder = await makeTempDir(options);
      made.push(folder);
      return folder;
    };
    const watched = {
      ...trainer,
      progress: trainer.progress,
      step: () => {
        assert.deepEqual(made, []);
        return trainer.step();
      },
    };
    const config = { model: "tiny", save_top_k: 1, save_every: 0 } as RunConfig;
    try {
      const { out } = await printed(async () => {
        await dryRun({ trainer: watched, options, config });
        return 0;
      });
      assert.match(out, /nothing was kept\.$/);
    } finally {
      Deno.makeTempDir = makeTempDir;
      trainer.session.dispose();
    }
    assert.equal(made.length, 1);
    await assert.rejects(Deno.stat(made[0]!), Deno.errors.NotFound);
  },
);
