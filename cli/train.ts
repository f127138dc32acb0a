/** `train`: builds, trains and evaluates a network, and keeps what a run makes in a folder. */
import { dirname, resolve } from "node:path";
import type { Backend } from "../core/backend/backend.ts";
import { createWasmBackend } from "../core/backend/wasm/backend.ts";
import { trainSteps } from "../core/data/batches.ts";
import { countOf } from "../core/data/dataset.ts";
import { fingerprint } from "../core/data/fingerprint.ts";
import { UserError } from "../core/errors.ts";
import { namedParameters } from "../core/nn/mod.ts";
import { sizeOf } from "../core/shape.ts";
import { restore } from "../core/train/checkpoint.ts";
import type { Trainer, TrainerOptions } from "../core/train/trainer.ts";
import { loadDataset } from "../host/datasets.ts";
import { makeFolder } from "../host/files.ts";
import { checkWritable, copyRun, refuseOldRun } from "../host/run_folder.ts";
import { describeGroups, parseFlags, switchFlag, text, whole } from "./arguments.ts";
import { modelEntry, optionFlags, ownOptions } from "./model.ts";
import { planRun } from "./plan.ts";
import { checkImages, checkPlainWeights, readCheckpoint, type Resumed } from "./resume.ts";
import { printAccuracy, run } from "./run.ts";
import {
  learningRate,
  optimizerOf,
  recipeFlags,
  resolveSettings,
  type Settings,
  subjectFlags,
} from "./settings.ts";
import { clearLine, isTerminal, megabytes, redraw } from "./terminal.ts";

const groups = {
  "What to train": { ...subjectFlags, ...optionFlags },
  How: recipeFlags,
  "Where, and what is shown": {
    output: text("FOLDER", "where the run is kept; default runs/MODEL-DATASET-TIME"),
    resume: text("PATH", "goes on with a run: its folder, or a checkpoint in it"),
    "evaluate-only": switchFlag("only tests the weights that --resume names"),
    threads: whole("worker threads; default one a core", { min: 1, max: 256 }),
    "print-every": whole("steps between lines where there is no terminal; default 100, or 4 times an epoch", {
      min: 1,
    }),
    help: switchFlag("shows this"),
  },
};

const flags = { ...groups["What to train"], ...groups.How, ...groups["Where, and what is shown"] };

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
  const evaluateOnly = given["evaluate-only"] ?? false;
  if (evaluateOnly && !given.resume) {
    throw new UserError("--evaluate-only needs --resume, the weights to test");
  }
  const resumed = given.resume === undefined ? undefined : await readCheckpoint(given.resume);
  if (resumed) checkPlainWeights(resumed, given);
  const chosen = resolveSettings(given, resumed?.config);
  const entry = await modelEntry(chosen.model);
  const own = ownOptions(chosen.model, entry, given);
  const settings = { ...chosen, model_options: { ...chosen.model_options, ...own } };
  const place = placeOf(given.output, settings, resumed);
  if (!evaluateOnly) {
    await checkWritable(place.output);
    if (place.isNew) await refuseOldRun(place.output);
  }
  const data = await loadDataset(settings.dataset, settings.data, downloadProgress);
  if (isTerminal) clearLine();
  for (const note of data.notes) console.log(`Note: ${note}`);
  const images = fingerprint(data);
  if (resumed && !evaluateOnly) checkImages(resumed.config?.images, images, settings);

  const { classes, channels, height, width } = data.train;
  const model = entry.create({
    ...settings.model_options,
    num_classes: classes.length,
    in_channels: channels,
    input_size: [height, width],
  });
  const steps = trainSteps(data.train, settings.batch_size);
  const backend = await createWasmBackend(given.threads === undefined ? {} : { threads: given.threads });
  try {
    const options: TrainerOptions = {
      backend,
      model,
      data,
      batch_size: settings.batch_size,
      epochs: settings.epochs,
      optimizer: optimizerOf(settings),
      lr: learningRate(settings, steps),
      label_smoothing: settings.label_smoothing,
      seed: settings.seed,
    };
    const trainer = planRun(options);
    console.log(banner(backend, options, settings, trainer));
    if (resumed) {
      restore(model, trainer.session, resumed.file, resumed.path, { optimizer: !evaluateOnly });
      Object.assign(trainer.progress, resumed.header?.progress);
    } else {
      await trainer.initialise();
    }
    if (evaluateOnly) {
      printAccuracy((await trainer.evaluate()).accuracy);
      return 0;
    }
    const { output, isNew } = place;
    await makeFolder(output);
    if (resumed && isNew) await copyRun(dirname(resumed.path), output);
    const checkpoint = isNew ? undefined : resumed?.path;
    const config = { ...settings, images };
    return await run({ trainer, options, config, output, checkpoint, printEvery: given["print-every"] });
  } finally {
    backend.close();
  }
}

/** The run's folder, and whether it is another than the one that is resumed. */
function placeOf(given: string | undefined, settings: Settings, resumed: Resumed | undefined) {
  const before = resumed && dirname(resumed.path);
  const output = given ?? before ?? defaultFolder(settings);
  return { output, isNew: before === undefined || resolve(output) !== resolve(before) };
}

function banner(backend: Backend, options: TrainerOptions, settings: Settings, trainer: Trainer): string {
  const { data, model, batch_size, epochs } = options;
  const parameters = [...namedParameters(model).values()].reduce((sum, { shape }) => sum + sizeOf(shape), 0);
  const { channels, height, width, classes } = data.train;
  const count = (number: number) => number.toLocaleString("en-US");
  return [
    `Strata on ${backend.description}; memory ${megabytes(trainer.session.memory.totalBytes)}`,
    `${settings.model}: ${count(parameters)} parameters`,
    `${data.train.name}: ${count(countOf(data.train))} training and ${
      count(countOf(data.test))
    } test images of ` +
    `${channels}×${height}×${width}, ${classes.length} classes`,
    `${epochs} epochs of ${
      trainSteps(data.train, batch_size)
    } steps of ${batch_size} images; ${settings.optimizer}, ` +
    `lr ${settings.lr} (${settings.scheduler}), weight decay ${settings.weight_decay}, seed ${settings.seed}`,
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
