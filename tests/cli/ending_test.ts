import assert from "node:assert/strict";
import { join } from "node:path";
import { describeEnding } from "../../cli/ending.ts";
import type { KeeperOptions } from "../../cli/keeper.ts";
import { writeSafetensors } from "../../core/format/safetensors.ts";
import { newProgress } from "../../core/train/progress.ts";
import { withFolder } from "../support/temp_folder.ts";

Deno.test("what is said of the best weights is true of their file, where better ones could not be saved", async () => {
  await withFolder(async (output) => {
    const best = join(output, "best.safetensors");
    const reached = { ...newProgress(), best_score: 0.9, best_epoch: 2 };
    const firstLine = async () => {
      const run = {
        trainer: { progress: reached },
        options: { task: { score: "accuracy" } },
        config: {},
        output,
      };
      return (await describeEnding("error", run as unknown as KeeperOptions, false))[0];
    };
    assert.equal(await firstLine(), "Best: 90.00 % in epoch 2");
    const saved = writeSafetensors([], {
      "strata.format": "1",
      "strata.model": "net",
      "strata.progress": JSON.stringify({ ...newProgress(), best_score: 0.75, best_epoch: 1 }),
      "strata.config": "{}",
    });
    await Deno.writeFile(best, saved);
    assert.equal(await firstLine(), `Best: 75.00 % in epoch 1; weights in ${best}`);
  });
});
