/** `train`: builds, trains and evaluates a network, and keeps what a run makes in a folder. */
import { dirname, resolve } from "node:path";
import type { Methods } from "../core/backend/wasm/autotune.ts";
import { createWasmBackend, type WasmBackend } from "../core/backend/wasm/backend.ts";
import { choiceOf } from "../core/backend/wasm/lower/method.ts";
import { trainSteps } from "../core/data/batches.ts";
import { countOf, type DatasetSplit } from "../core/data/dataset.ts";
import { fingerprint } from "../core/data/fingerprint.ts";
import { UserError } from "../core/errors.ts";
import { namedParameters } from "../core/nn/mod.ts";
import { sizeOf } from "../core/shape.ts";
import { restore } from "../core/train/checkpoint.ts";
import { runGraphs, type Trainer, type TrainerOptions } from "../core/train/trainer.ts";
import { loadDataset } from "../host/datasets.ts";
import { makeFolder } from "../host/files.ts";
import { checkWritable, copyRun, readLogTable, refuseOldRun } from "../host/run_folder.ts";
import {
  describeGroups,
  optionalWhole,
  type Parsed,
  parseFlags,
  switchFlag,
  text,
  whole,
} from "./arguments.ts";
import type { ModelEntry } from "../models/registry.ts";
import { backendOptions } from "./backend.ts";
import { type Dashboard, openDashboard } from "./dashboard.ts";
import { epochsOf, runFacts } from "./dashboard_facts.ts";
import { modelEntry, optionFlags, ownOptions } from "./model.ts";
import { planRun } from "./plan.ts";
import { checkImages, checkPlainWeights, readCheckpoint, type Resumed } from "./resume.ts";
import { createTestReport } from "./report.ts";
import { printAccuracy, run } from "./run.ts";
import {
  learningRate,
  optimizerOf,
  recipeFlags,
  resolveSettings,
  type Settings,
  subjectFlags,
} from "./settings.ts";
import { dataFlags, loadOptions } from "./settings/data.ts";
import { tune } from "./tune.ts";
import { clearLine, isTerminal, megabytes, redraw } from "./terminal.ts";

const groups = {
  "What to train": { ...subjectFlags, ...optionFlags },
  "The images": dataFlags,
  How: recipeFlags,
  "Where, and what is shown": {
    output: text("FOLDER", "where the run is kept; default runs/MODEL-DATASET-TIME"),
    resume: text("PATH", "goes on with a run: its folder, or a checkpoint in it"),
    "evaluate-only": switchFlag("only tests the weights that --resume names"),
    autotune: switchFlag("measures first how each convolution is fastest here, once, and remembers it"),
    workers: whole("threads that decode images; default a quarter of the cores", { min: 1, max: 64 }),
    threads: whole("worker threads; default one a core", { min: 1, max: 256 }),
    "print-every": whole("steps between lines where there is no terminal; default 100, or 4 times an epoch", {
      min: 1,
    }),
    dashboard: optionalWhole(
      "PORT",
      "shows the run on a page, on this machine only; default a free port",
      0,
      {
        min: 1,
        max: 65535,
      },
    ),
    help: switchFlag("shows this"),
  },
};

const flags = {
  ...groups["What to train"],
  ...dataFlags,
  ...groups.How,
  ...groups["Where, and what is shown"],
};

const EXAMPLES = `Trains a network on images.

  deno task train                                             resnet50 on handwritten digits
  deno task train --model vgg16_cifar --dataset cifar10 --data ~/cifar10
  deno task train --resume runs/resnet50-digits-20261122-101500
  deno task train --resume runs/resnet50-digits-20261122-101500 --evaluate-only`;

const EXIT_CODES = `
Exit codes: 0 done, 1 Strata's fault, 2 a mistake in what was asked, 3 the loss was not finite,
130 or 143 stopped by a signal.`;

/** Runs the command; returns its exit code. */
export async function train(args: readonly string[]): Promise<number> {
  const given = parseFlags(flags, args);
  if (given.help) {
    console.log([EXAMPLES, ...describeGroups(groups), EXIT_CODES].join("\n"));
    return 0;
  }
  const job = await understand(given);
  const methods: Methods = new Map(Object.entries(job.resumed?.config?.methods ?? {}));
  const options = backendOptions({ ...given, exact: job.settings.exact }, choiceOf(methods));
  // The workers start while the images are read.
  const loading = loadImages(job);
  const starting = createWasmBackend({ ...options, meanwhile: loading });
  const [data, backend] = await Promise.all([loading, starting]);
  try {
    return await carryOut(job, data, backend, methods);
  } finally {
    data.close?.();
    backend.close();
  }
}

/** What was asked for, in full, before any data is read. */
interface Job {
  readonly settings: Settings;
  readonly entry: ModelEntry;
  /** The run to go on with, or the weights to test. */
  readonly resumed: Resumed | undefined;
  readonly evaluateOnly: boolean;
  readonly autotune: boolean;
  /** The run's folder, and whether it is another than the one that is resumed. */
  readonly output: string;
  readonly isNew: boolean;
  readonly printEvery: number | undefined;
  readonly workers: number | undefined;
  /** The port of the live page, 0 for a free one; undefined for no page. */
  readonly dashboard: number | undefined;
}

async function understand(given: Parsed<typeof flags>): Promise<Job> {
  const evaluateOnly = given["evaluate-only"] ?? false;
  if (evaluateOnly && !given.resume) {
    throw new UserError("--evaluate-only needs --resume, the weights to test");
  }
  if (evaluateOnly && given.dashboard !== undefined) {
    throw new UserError("--dashboard shows training: it does not go with --evaluate-only");
  }
  const resumed = given.resume === undefined ? undefined : await readCheckpoint(given.resume);
  if (resumed) checkPlainWeights(resumed, given);
  const chosen = resolveSettings(given, resumed?.config);
  const entry = await modelEntry(chosen.model);
  const own = ownOptions(chosen.model, entry, given);
  const settings = { ...chosen, model_options: { ...chosen.model_options, ...own } };
  const before = resumed && dirname(resumed.path);
  const output = given.output ?? before ?? defaultFolder(settings);
  const isNew = before === undefined || resolve(output) !== resolve(before);
  if (!evaluateOnly) {
    await checkWritable(output);
    if (isNew) await refuseOldRun(output);
  }
  const autotune = given.autotune ?? false;
  if (autotune && resumed) {
    throw new UserError("--autotune does not go with --resume: a run keeps the choices that it began with");
  }
  if (autotune && settings.exact) throw new UserError("--autotune has nothing to choose with --exact");
  return {
    settings,
    entry,
    resumed,
    evaluateOnly,
    autotune,
    output,
    isNew,
    printEvery: given["print-every"],
    workers: given.workers,
    dashboard: given.dashboard,
  };
}

async function loadImages({ settings, entry, workers }: Job): Promise<DatasetSplit> {
  const options = loadOptions(settings, entry.input, { progress: downloadProgress, note, workers });
  const data = await loadDataset(settings.dataset, options);
  if (isTerminal) clearLine();
  data.notes.forEach(note);
  return data;
}

function note(line: string): void {
  if (isTerminal) clearLine();
  console.log(`Note: ${line}`);
}

async function carryOut(
  job: Job,
  data: DatasetSplit,
  backend: WasmBackend,
  methods: Methods,
): Promise<number> {
  const { settings, resumed, evaluateOnly, output, isNew, printEvery } = job;
  const images = fingerprint(data);
  if (resumed && !evaluateOnly) checkImages(resumed.config?.images, images, settings);
  const options = trainerOptions(job, data, backend);
  if (job.autotune) await tune(backend, runGraphs(options), methods, dirname(output));
  const trainer = planRun(options);
  console.log(banner(options, settings, trainer));
  if (resumed) {
    restore(options.model, trainer.session, resumed.file, resumed.path, { optimizer: !evaluateOnly });
    Object.assign(trainer.progress, resumed.header?.progress);
  } else {
    await trainer.initialise();
  }
  if (evaluateOnly) {
    printAccuracy((await trainer.evaluate(createTestReport())).accuracy);
    return 0;
  }
  await makeFolder(output);
  if (resumed && isNew) await copyRun(dirname(resumed.path), output);
  const checkpoint = isNew ? undefined : resumed?.path;
  const config = { ...settings, images, methods: Object.fromEntries(methods) };
  const dashboard = await startDashboard(job, options, trainer);
  let code = 1;
  try {
    code = await run({
      trainer,
      options,
      config,
      output,
      fresh: !resumed,
      checkpoint,
      printEvery,
      dashboard,
    });
  } finally {
    await dashboard?.end(code);
  }
  return code;
}

async function startDashboard(
  { dashboard: port, settings, output }: Job,
  options: TrainerOptions,
  trainer: Trainer,
): Promise<Dashboard | undefined> {
  if (port === undefined) return undefined;
  const { data, batch_size, epochs } = options;
  const dashboard = openDashboard({
    port,
    title: `${settings.model} on ${data.train.name}`,
    facts: runFacts(options, trainer, settings, output),
    test: data.test,
    batch_size,
    epochs,
    steps: trainSteps(data.train, batch_size),
    before: epochsOf(await readLogTable(output)).slice(0, trainer.progress.epoch),
    scores: () => trainer.session.read("evaluate", "scores"),
  });
  console.log(`Dashboard: ${dashboard.url}`);
  return dashboard;
}

function trainerOptions({ settings, entry }: Job, data: DatasetSplit, backend: WasmBackend): TrainerOptions {
  const { classes, channels, height, width } = data.train;
  const { batch_size, epochs, label_smoothing, seed } = settings;
  const model = entry.create({
    ...settings.model_options,
    num_classes: classes.length,
    in_channels: channels,
    input_size: [height, width],
  });
  const lr = learningRate(settings, trainSteps(data.train, batch_size));
  return {
    backend,
    model,
    data,
    batch_size,
    epochs,
    optimizer: optimizerOf(settings),
    lr,
    label_smoothing,
    seed,
  };
}

function banner(options: TrainerOptions, settings: Settings, trainer: Trainer): string {
  const { backend, data: { train, test }, model, batch_size, epochs } = options;
  const parameters = [...namedParameters(model).values()].reduce((sum, { shape }) => sum + sizeOf(shape), 0);
  const number = (value: number) => value.toLocaleString("en-US");
  const counts = `${number(countOf(train))} training and ${number(countOf(test))} test images`;
  const shape = `${train.channels}×${train.height}×${train.width}`;
  const { model: name, optimizer, lr, scheduler, weight_decay, seed } = settings;
  return [
    `Strata on ${backend.description}; memory ${megabytes(trainer.session.memory.totalBytes)}`,
    `${name}: ${number(parameters)} parameters`,
    `${train.name}: ${counts} of ${shape}, ${train.classes.length} classes`,
    `${epochs} epochs of ${trainSteps(train, batch_size)} steps of ${batch_size} images; ${optimizer}, ` +
    `lr ${lr} (${scheduler}), weight decay ${weight_decay}, seed ${seed}`,
  ].join("\n");
}

/** `runs/resnet50-digits-20261122-101500` */
function defaultFolder({ model, dataset }: Settings): string {
  const time = new Date().toISOString().slice(0, 19).replaceAll(/[-:]/g, "").replace("T", "-");
  return `runs/${model}-${dataset}-${time}`;
}

let lastShown = 0;

function downloadProgress(received: number, total: number | undefined): void {
  const done = received === total;
  if (!done && performance.now() - lastShown < (isTerminal ? 100 : 5000)) return;
  lastShown = performance.now();
  const of = total === undefined ? "" : ` of ${megabytes(total)}, ${Math.floor(100 * received / total)} %`;
  const line = `Downloading: ${megabytes(received)}${of}`;
  if (isTerminal) redraw(line);
  else console.log(line);
}
