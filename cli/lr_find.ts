/** `--lr-find`: a sweep over learning rates, its curve on disk, and a suggestion. */
import { join } from "node:path";
import { UserError } from "../core/errors.ts";
import { type LrPoint, suggest, sweep, usualSweep } from "../core/train/lr_find.ts";
import type { Trainer } from "../core/train/trainer.ts";
import { writeAtomically } from "../host/atomic_write.ts";
import { createProgress } from "./progress.ts";
import type { Settings } from "./settings/settings.ts";

/** `trainer` must be one of `sweepOptions`; `settings` are those of the run. Throws where the loss never falls. */
export async function findLearningRate(
  trainer: Trainer,
  { accumulate, lr, lr_head }: Pick<Settings, "accumulate" | "lr" | "lr_head">,
  output: string,
): Promise<void> {
  const points: LrPoint[] = [];
  const progress = createProgress();
  for await (const point of sweep(trainer, usualSweep, accumulate)) {
    points.push(point);
    progress.show(points.length / usualSweep.updates, `lr ${short(point.lr)}, loss ${point.loss.toFixed(4)}`);
  }
  progress.stop();
  const found = suggest(points);
  const table = join(output, "lr_find.csv");
  const picture = join(output, "lr_find.svg");
  await writeAtomically(table, new TextEncoder().encode(toCsv(points)));
  await writeAtomically(picture, new TextEncoder().encode(await draw(points, found?.steepest)));
  console.log(
    `${points.length} rates from ${short(usualSweep.from)} up; the curve is in ${picture} and ${table}`,
  );
  if (!found) {
    throw new UserError(
      "--lr-find: the loss falls at no rate: look at the images (--overfit-batches 1), or at the network",
    );
  }
  // The head's rate has risen with the others'.
  const head = lr_head > 0 ? ` --lr-head ${short(found.steepest * lr_head / lr)}` : "";
  console.log(
    `The loss falls most steeply at ${short(found.steepest)} and is lowest at ${short(found.lowest)}.\n` +
      `Try: --lr ${short(found.steepest)}${head}`,
  );
}

async function draw(points: readonly LrPoint[], suggested: number | undefined): Promise<string> {
  const [{ svgOf }, { lineChart }] = await Promise.all([
    import("../core/plot/svg.ts"),
    import("../core/plot/line_chart.ts"),
  ]);
  // A loss that blows up would leave no room for the rest of the curve.
  const most = 2 * Math.max(...points.slice(0, Math.ceil(points.length / 2)).map(({ loss }) => loss));
  const curve = (of: "loss" | "smoothed") =>
    points.filter((point) => point[of] <= most).map((point) => [point.lr, point[of]] as const);
  return await svgOf(lineChart({
    title: "Loss by learning rate",
    x: { title: "learning rate", scale: "log" },
    y: { title: "training loss" },
    series: [
      { name: "each batch", points: curve("loss"), colour: "#bdc1c6" },
      { name: "smoothed", points: curve("smoothed") },
    ],
    marks: suggested === undefined ? [] : [{ x: suggested, label: `steepest at ${short(suggested)}` }],
  }));
}

function toCsv(points: readonly LrPoint[]): string {
  const lines = points.map(({ lr, loss, smoothed }) => [lr, loss, smoothed].map(short).join(","));
  return ["lr,loss,smoothed_loss", ...lines, ""].join("\n");
}

/** Four digits, and no more zeros than it takes. */
function short(value: number): string {
  return String(Number(value.toPrecision(4)));
}
