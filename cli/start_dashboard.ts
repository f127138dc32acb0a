/** Opens the live page of a run, where one is asked for, and says what stands on it beside the figures. */
import { parameterCount } from "../core/nn/mod.ts";
import { stepsOf, testedOf } from "../core/train/progress.ts";
import type { Trainer, TrainerOptions } from "../core/train/trainer.ts";
import type { RunFacts } from "../dashboard/protocol.ts";
import { readLog } from "../host/run_folder.ts";
import { describeExtras } from "./banner.ts";
import type { Job } from "./job.ts";
import type { LivePage } from "./live_page.ts";
import { shortName } from "./model.ts";
import type { Settings } from "./settings/settings.ts";
import { megabytes } from "./terminal.ts";

/** Throws `UserError` where the port is taken. */
export async function startDashboard(
  { dashboard: port, settings, output }: Job,
  options: TrainerOptions,
  trainer: Trainer,
): Promise<LivePage | undefined> {
  if (port === undefined) return undefined;
  const { openLivePage } = await import("./live_page.ts");
  const { data: { train, test }, epochs } = options;
  const dashboard = openLivePage(port, {
    title: `${shortName(settings.model)} on ${train.name}`,
    facts: runFacts(options, trainer, settings, output),
    test,
    tested: testedOf(options),
    epochs,
    steps: stepsOf(options),
    before: (await readLog(output)).slice(0, trainer.progress.epoch),
  });
  console.log(`Dashboard: ${dashboard.url}`);
  return dashboard;
}

/** What is trained on what, and how, in words. */
function runFacts(
  options: TrainerOptions,
  { session }: Trainer,
  settings: Settings,
  output: string,
): RunFacts["facts"] {
  const { model, backend, data: { train, test } } = options;
  const { model: name, epochs, batch_size, optimizer, lr, scheduler, weight_decay, seed } = settings;
  const number = (value: number) => value.toLocaleString("en-US");
  const parameters = parameterCount(model);
  const extras = describeExtras(settings);
  return [
    ["Network", `${name}, ${number(parameters)} parameters`],
    ["Data", `${train.name}: ${number(train.count)} training and ${number(test.count)} test images`],
    ["Images", `${train.channels}×${train.height}×${train.width}, ${number(train.classes.length)} classes`],
    ["Length", `${epochs} epochs of ${number(stepsOf(options))} steps of ${batch_size} images`],
    ["Optimiser", `${optimizer}, weight decay ${weight_decay}`],
    ["Learning rate", `${lr} (${scheduler})`],
    ...(extras.length > 0 ? [["With", extras.join(", ")] as const] : []),
    ["Seed", `${seed}`],
    ["Backend", `${backend.description}; memory ${megabytes(session.memory.totalBytes)}`],
    ["Folder", output],
  ];
}
