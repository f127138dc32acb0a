/** `train`: builds, trains and evaluates a network, and keeps what a run makes in a folder. */
import { dirname } from "node:path";
import { type Backend, OutOfMemory } from "../core/backend/backend.ts";
import { createWasmBackend } from "../core/backend/wasm/backend.ts";
import { trainSteps } from "../core/data/batches.ts";
import { countOf } from "../core/data/dataset.ts";
import { UserError } from "../core/errors.ts";
import { readSafetensors } from "../core/format/safetensors.ts";
import { namedParameters } from "../core/nn/mod.ts";
import { sizeOf } from "../core/shape.ts";
import { readHeader, restore, toCheckpoint } from "../core/train/checkpoint.ts";
import {
  createTrainer,
  largestBatch,
  NotFinite,
  type Trainer,
  type TrainerOptions,
  type TrainingEvent,
} from "../core/train/trainer.ts";
import { loadDataset } from "../host/datasets.ts";
import { readBytes } from "../host/files.ts";
import * as folder from "../host/run_folder.ts";
import { describeFlags, parseFlags, switchFlag, text, whole } from "./arguments.ts";
import { modelEntry, optionFlags, ownOptions } from "./model.ts";
import { createReport, type EpochTiming, percent } from "./report.ts";
import { learningRate, optimizerOf, resolveSettings, settingFlags, type Settings } from "./settings.ts";
import { clearLine, isTerminal, megabytes, redraw } from "./terminal.ts";

const flags = {
  ...settingFlags,
  ...optionFlags,
  threads: whole("worker threads; default one a core", { min: 1, max: 256 }),
  output: text("FOLDER", "where the run is kept; default runs/MODEL-DATASET-TIME"),
  resume: text("PATH", "goes on with a run: its folder, or a checkpoint in it"),
  "evaluate-only": switchFlag("only tests the checkpoint that --resume names"),
  "print-every": whole("steps between lines where there is no terminal; default 100, or 4 times an epoch", {
    min: 1,
  }),
  help: switchFlag("shows this"),
};

const HELP = `Trains a network on images.

  deno task train                                             resnet50 on handwritten digits
  deno task train --model vgg16_cifar --dataset cifar10 --data ~/cifar10
  deno task train --resume runs/resnet50-digits-20261122-101500

`;

const LOG_HEADER = "epoch,train_loss,train_accuracy,test_loss,test_accuracy,lr,seconds,images_per_second";

/** Exit codes of a run that a signal stopped, as shells have them. */
const STOPPED = { SIGINT: 130, SIGTERM: 143 } as const;

/** Runs the command; returns its exit code. */
export async function train(args: readonly string[]): Promise<number> {
  const given = parseFlags(flags, args);
  if (given.help) {
    console.log(HELP + describeFlags(flags).join("\n"));
    return 0;
  }
  if (given["evaluate-only"] && !given.resume) {
    throw new UserError("--evaluate-only needs --resume, the checkpoint to test");
  }
  const resumed = given.resume === undefined ? undefined : await readCheckpoint(given.resume);
  const chosen = resolveSettings(given, resumed?.header.config as Settings | undefined);
  const entry = await modelEntry(chosen.model);
  const own = ownOptions(chosen.model, entry, given);
  const settings = { ...chosen, model_options: { ...chosen.model_options, ...own } };
  const data = await loadDataset(settings.dataset, settings.data, downloadProgress);
  if (isTerminal) clearLine();
  for (const note of data.notes) console.log(`Note: ${note}`);

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
    const trainer = planOrExplain(options);
    console.log(banner(backend, options, settings, trainer));
    if (resumed) {
      restore(model, trainer.session, resumed.file, resumed.path, { optimizer: !given["evaluate-only"] });
      Object.assign(trainer.progress, resumed.header.progress);
    } else {
      await trainer.initialise();
    }
    if (given["evaluate-only"]) {
      printAccuracy((await trainer.evaluate()).accuracy);
      return 0;
    }
    const output = given.output ?? (resumed ? dirname(resumed.path) : defaultFolder(settings));
    if (!resumed || given.output) await folder.createRunFolder(output);
    await folder.saveConfig(output, settings);
    return await run(trainer, options, settings, output, given["print-every"]);
  } finally {
    backend.close();
  }
}

/** Trains to the end, or to a signal, or to a loss that is not finite. */
async function run(
  trainer: Trainer,
  options: TrainerOptions,
  settings: Settings,
  output: string,
  printEvery: number | undefined,
): Promise<number> {
  const { progress, session } = trainer;
  const steps = trainSteps(options.data.train, options.batch_size);
  const log = (await folder.readLog(output)).slice(0, progress.epoch);
  const save = async (name: string, optimizer: boolean) => {
    const header = { model: settings.model, progress, config: settings };
    return await folder.saveCheckpoint(
      output,
      name,
      await toCheckpoint(options.model, session, header, { optimizer }),
    );
  };
  const report = createReport({
    epochs: options.epochs,
    batch_size: options.batch_size,
    steps,
    before: progress.epoch * steps + progress.step,
    printEvery: printEvery ?? Math.min(100, Math.ceil(steps / 4)),
  });
  const signal = watchSignals();
  let accuracy: number | undefined;
  try {
    for await (const event of trainer.train()) {
      const timing = report.show(event);
      if (event.type === "epoch") {
        accuracy = event.test.accuracy;
        log.push(logLine(event, timing!));
        await save(folder.LAST, true);
        if (event.best) await save(folder.BEST, false);
        await folder.saveLog(output, LOG_HEADER, log);
      }
      if (signal.received && progress.epoch < options.epochs) {
        report.stop();
        if (event.type !== "epoch") await save(folder.LAST, true);
        console.log(
          `Stopped in epoch ${
            progress.epoch + 1
          } after step ${progress.step} of ${steps}; nothing is lost.\n` +
            `Go on with: deno task train --resume ${output}`,
        );
        return STOPPED[signal.received];
      }
    }
  } catch (error) {
    report.stop();
    if (!(error instanceof NotFinite)) throw error;
    const kept = progress.epoch > 0 ? `; the last good checkpoint is ${output}/${folder.LAST}` : "";
    console.error(`error: ${error.message}${kept}`);
    return 1;
  } finally {
    signal.stop();
  }
  printAccuracy(accuracy ?? (await trainer.evaluate()).accuracy);
  console.log(
    `Best: ${
      percent(progress.best_accuracy)
    } in epoch ${progress.best_epoch}; weights in ${output}/${folder.BEST}`,
  );
  return 0;
}

async function readCheckpoint(resume: string) {
  const path = await folder.findCheckpoint(resume);
  const file = readSafetensors(await readBytes(path), path);
  return { path, file, header: readHeader(file, path) };
}

function planOrExplain(options: TrainerOptions): Trainer {
  try {
    return createTrainer(options);
  } catch (error) {
    if (!(error instanceof OutOfMemory)) throw error;
    const most = largestBatch(options, error.available);
    const advice = most > 0 ? `use at most ${most}` : "not even one image fits: use a smaller network";
    throw new UserError(`--batch-size ${options.batch_size}: the run ${error.message}; ${advice}`);
  }
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

function logLine(
  { epoch, train, test, lr }: Extract<TrainingEvent, { type: "epoch" }>,
  timing: EpochTiming,
): string {
  const { seconds, images_per_second } = timing;
  const rounded = [train.loss, train.accuracy, test.loss, test.accuracy].map((value) => value.toFixed(6));
  return [epoch, ...rounded, lr, seconds.toFixed(2), images_per_second.toFixed(1)].join(",");
}

function printAccuracy(accuracy: number): void {
  console.log(`Accuracy of the model on the test images: ${percent(accuracy)}`);
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

/** The first signal asks the loop to stop; a second one ends the program at once. */
function watchSignals() {
  const names = ["SIGINT", "SIGTERM"] as const;
  const watch: { received: (typeof names)[number] | undefined; stop: () => void } = {
    received: undefined,
    stop: () => handlers.forEach(([name, handler]) => Deno.removeSignalListener(name, handler)),
  };
  const handlers = names.map((name) => {
    const handler = () => {
      if (watch.received) Deno.exit(STOPPED[name]);
      watch.received = name;
      console.error("\nFinishing the step; once more to stop at once.");
    };
    Deno.addSignalListener(name, handler);
    return [name, handler] as const;
  });
  return watch;
}
