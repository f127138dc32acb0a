/** `train`: builds, trains and evaluates a network, and keeps what a run makes in a folder. */
import { dirname, join } from "node:path";
import type { Backend } from "../core/backend/backend.ts";
import { fingerprint } from "../core/data/fingerprint.ts";
import { matchStateDict } from "../core/nn/match_state_dict.ts";
import { restore } from "../core/train/checkpoint.ts";
import { runGraphs } from "../core/train/run_graphs.ts";
import { sweepOptions, usualSweep } from "../core/train/lr_find.ts";
import { loadPretrained } from "../core/train/pretrained.ts";
import type { TrainerOptions } from "../core/train/trainer.ts";
import { type AnySplit, loadAnyDataset } from "../host/datasets.ts";
import { makeFolder, makeNewFolder } from "../host/files.ts";
import { copyRun, setAside } from "../host/going_back.ts";
import { createDamagedList, DAMAGED, type DamagedList } from "../host/images/damaged.ts";
import { checkRoomForRun, findWeights, refuseOldRun, tidy } from "../host/run_folder.ts";
import { lockRun } from "../host/run_lock.ts";
import { describeGroups, parseFlags } from "./arguments.ts";
import { createBackend } from "./backend.ts";
import { banner } from "./banner.ts";
import { dryRun, tryOptions } from "./dry_run.ts";
import { scoreLine } from "./figures.ts";
import { type Job, understand } from "./job.ts";
import { findLearningRate } from "./lr_find.ts";
import type { Mode } from "./mode.ts";
import { planRun } from "./plan.ts";
import { whileReading } from "./progress.ts";
import { describeRecipes } from "./recipes.ts";
import { createTestReport } from "./report.ts";
import { checkImages } from "./resume.ts";
import { loadOptions } from "./settings/data.ts";
import { run } from "./run.ts";
import { startDashboard } from "./start_dashboard.ts";
import { clearLine, isTerminal } from "./terminal.ts";
import { negatable, trainFlags, trainGroups } from "./train_flags.ts";
import { prepare, readPretrained } from "./trainer_options.ts";
import { tune } from "./tune.ts";
import { RIGHT_MODEL } from "./weights.ts";

const EXAMPLES = `Trains a network on images.

  deno task train                    resnet50 on handwritten digits
  deno task train --recipe digits    settings that have a name, see below
  deno task train --model vgg16_cifar --dataset cifar10 --data ~/cifar10
  deno task train --model squeezenet1_1 --pretrained squeezenet.pth --freeze
  deno task train --model ./my_net.ts --lr-find
  deno task train --resume auto      goes on with the newest run`;

const NOTES = `
Where a number ends a line, it is the default.
Switches that a recipe, a configuration or a resumed run has on are turned off
by --no-, as in --no-ema; numbers by 0, as in --mixup 0; files and lists by
none, as in --freeze none. What flags leave no room for in files is left out.
Exit codes: 0 done, 1 Strata's fault, 2 a mistake in what was asked, 3 the loss
was not finite, 5 the GPU was lost, 129, 130 or 143 stopped by a signal.`;

/** Runs the command; returns its exit code. */
export async function train(args: readonly string[]): Promise<number> {
  const given = parseFlags(trainFlags, args, negatable);
  if (given.help) {
    const recipes = ["", "Recipes:", ...await describeRecipes()];
    console.log([EXAMPLES, ...describeGroups(trainGroups), ...recipes, NOTES].join("\n"));
    return 0;
  }
  using held = new DisposableStack();
  const job = await understand(given, held);
  if (given["print-config"]) {
    console.log(JSON.stringify(job.settings, null, 2));
    return 0;
  }
  const { settings: { pretrained }, resumed } = job;
  // Told before any data is read, or got from afar.
  if (pretrained !== "" && !resumed) await findWeights(pretrained);
  const choices = new Map(Object.entries(resumed?.config?.methods ?? {}));
  // The backend starts while the images are read.
  const damaged = createDamagedList();
  const loading = loadImages(job, damaged);
  const starting = createBackend({ ...given, exact: job.settings.exact, amp: job.settings.amp }, {
    choices,
    meanwhile: loading,
  });
  const [data, backend] = await Promise.all([loading, starting]);
  try {
    return await carryOut(job, data, backend, { choices, damaged, held });
  } finally {
    data.close?.();
    backend.close();
  }
}

async function loadImages(
  { settings, entry, split_size, workers, resumed }: Job,
  damaged: DamagedList,
): Promise<AnySplit> {
  const overfit = settings.overfit_batches > 0;
  const reached = resumed?.header?.progress;
  const goesOnAt = reached && { epoch: reached.epoch, place: reached.step * settings.batch_size };
  const rest = {
    note,
    onDamaged: damaged.add,
    workers,
    overfit,
    goesOnAt,
    split_size,
  };
  const data = await whileReading((shown) =>
    loadAnyDataset(settings.dataset, loadOptions(settings, entry.input, { ...rest, ...shown }))
  );
  data.notes.forEach(note);
  return data;
}

function note(line: string): void {
  if (isTerminal) clearLine();
  console.log(`Note: ${line}`);
}

interface Gathered {
  /** How convolutions and products are computed, as measured. */
  readonly choices: Map<string, string>;
  readonly damaged: DamagedList;
  /** What is given back when all is done: the lock of the run's folder. */
  readonly held: DisposableStack;
}

async function carryOut(
  job: Job,
  data: AnySplit,
  backend: Backend,
  { choices, damaged, held }: Gathered,
): Promise<number> {
  const { mode, settings, resumed, isNew, printEvery, pictures } = job;
  const images = fingerprint(data);
  if (resumed && mode !== "evaluate") checkImages(resumed.config?.images, images, settings);
  const prepared = prepare(settings, job.entry, data, backend);
  const { options } = prepared;
  const pretrained = settings.pretrained !== "" && !resumed
    ? await readPretrained(settings, prepared)
    : undefined;
  if (job.autotune) await tune(backend, runGraphs(options), choices, dirname(job.output));
  const trainer = await planRun(trialOf(mode, options));
  console.log(banner(options, settings, trainer));
  const begin = async () => {
    await trainer.initialise();
    if (pretrained) loadPretrained(trainer.session, pretrained);
  };
  if (resumed && mode === "evaluate") {
    const advice = RIGHT_MODEL;
    loadPretrained(trainer.session, matchStateDict(options.model, resumed.weights, { advice }));
    console.log(scoreLine(await trainer.evaluate(createTestReport())));
    return 0;
  }
  if (resumed) {
    restore(options.model, trainer.session, resumed.states!, resumed.path);
    Object.assign(trainer.progress, resumed.header!.progress);
  } else {
    await begin();
  }
  const { classes, channels, height, width } = data.train;
  const shape = [channels, height, width] as const;
  const { normalize } = data;
  const config = {
    ...settings,
    images,
    classes,
    shape,
    normalize,
    methods: Object.fromEntries(choices),
  };
  if (mode === "dry-run") {
    await dryRun({ trainer, options, config });
    return 0;
  }
  const output = await ownFolder(job, held);
  await tidy(output);
  if (mode === "lr-find") {
    await findLearningRate(trainer, options, output);
    return 0;
  }
  await checkRoomForRun(output, trainer.session.memory.stateBytes);
  const aside = resumed && !isNew ? await setAside(resumed.path, trainer.progress) : undefined;
  if (aside !== undefined) {
    note(`what this run had after epoch ${trainer.progress.epoch} is set aside in ${aside}`);
  }
  if (resumed && isNew) await copyRun(dirname(resumed.path), output, trainer.progress);
  await damaged.saveIn(output);
  if (damaged.files.length > 0) note(`all damaged images are named in ${join(output, DAMAGED)}`);
  const dashboard = await startDashboard({ ...job, output }, options, trainer);
  let code = 1;
  try {
    code = await run({
      trainer,
      options,
      config,
      output,
      begin: resumed ? undefined : begin,
      checkpoint: isNew || aside !== undefined ? undefined : resumed?.path,
      damaged,
      printEvery,
      pictures,
      dashboard,
    });
  } finally {
    await dashboard?.end(code);
  }
  return code;
}

/** Makes the run's folder and keeps it for this process alone. */
async function ownFolder({ output, isNew, isNamed }: Job, held: DisposableStack): Promise<string> {
  const folder = isNamed ? output : await makeNewFolder(output);
  if (!isNew) return folder; // It is locked since its checkpoint was read.
  await makeFolder(folder);
  held.use(await lockRun(folder));
  await refuseOldRun(folder); // Somebody may have been faster.
  return folder;
}

/** What runs: of a trial less, or with other rates. */
function trialOf(mode: Mode, options: TrainerOptions): TrainerOptions {
  if (mode === "dry-run") return tryOptions(options);
  return mode === "lr-find" ? sweepOptions(options, usualSweep) : options;
}
