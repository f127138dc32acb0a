/** `--lr-find`: a sweep over learning rates, its curve on disk, and a suggestion. */
import { join } from "node:path";
import { type LrPoint, suggest, sweep, usualSweep } from "../core/train/lr_find.ts";
import type { Trainer, TrainerOptions } from "../core/train/trainer.ts";
import { writeAtomically } from "../host/atomic_write.ts";
import { createProgress } from "./progress.ts";

/** Returns the exit code. `trainer` must be one of `sweepOptions`. */
export async function findLearningRate(
  trainer: Trainer,
  options: TrainerOptions,
  output: string,
): Promise<number> {
  const points: LrPoint[] = [];
  const progress = createProgress();
  for await (const point of sweep(trainer, usualSweep, options.accumulate)) {
    points.push(point);
    progress.show(points.length / usualSweep.updates, `lr ${short(point.lr)}, loss ${point.loss.toFixed(4)}`);
  }
  progress.stop();
  const curve = join(output, "lr_find.csv");
  await writeAtomically(curve, new TextEncoder().encode(toCsv(points)));
  console.log(`${points.length} rates from ${short(usualSweep.from)} up; the curve is in ${curve}`);
  const found = suggest(points);
  console.log(
    found
      ? `The loss falls most steeply at ${short(found.steepest)} and is lowest at ${short(found.lowest)}.\n` +
        `Try: --lr ${short(found.steepest)}`
      : "The loss never falls: look at the images (--overfit-batches 1), or at the network",
  );
  return found ? 0 : 1;
}

function toCsv(points: readonly LrPoint[]): string {
  const lines = points.map(({ lr, loss, smoothed }) => [lr, loss, smoothed].map(short).join(","));
  return ["lr,loss,smoothed_loss", ...lines, ""].join("\n");
}

/** Four digits, and no more zeros than it takes. */
function short(value: number): string {
  return String(Number(value.toPrecision(4)));
}
