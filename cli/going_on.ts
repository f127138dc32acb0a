/** The beginning of a run that goes on: what its folder has and how far it is come to agree. */
import { findBest } from "../host/going_back.ts";
import { percent } from "./figures.ts";
import type { Keeper, KeeperOptions } from "./keeper.ts";
import { createTestReport } from "./report.ts";

export async function goOn({ trainer, output }: KeeperOptions, keeper: Keeper): Promise<void> {
  const { progress } = trainer;
  const { best_epoch } = progress;
  const best = await findBest(output, best_epoch);
  // A run that was killed may have saved better ones than its last checkpoint knows of.
  if (best) Object.assign(progress, { best_score: best.best_score, best_epoch: best.best_epoch });
  else if (best_epoch > 0) {
    await keeper.takeAsBest(await trainer.evaluate(createTestReport()));
    console.log(
      `Note: the best weights, of epoch ${best_epoch}, are not here any more; those that the run goes on from are ` +
        `taken for the best so far: ${percent(progress.best_score)}`,
    );
  }
  if (keeper.last === undefined) await keeper.moveIn();
}
