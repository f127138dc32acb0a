/** `--dry-run`: two updates, a test and a save, then what the run would take. */
import { join } from "node:path";
import { readSafetensors } from "../core/format/safetensors.ts";
import { restore } from "../core/train/checkpoint.ts";
import type { EpochEvent } from "../core/train/log_row.ts";
import { stepsOf, testBatchesOf } from "../core/train/progress.ts";
import type { Trainer, TrainerOptions } from "../core/train/trainer.ts";
import { readBytes, statIfThere } from "../host/files.ts";
import { LAST } from "../host/run_folder.ts";
import { imagesText } from "./figures.ts";
import { createKeeper } from "./keeper.ts";
import type { RunConfig } from "./resume.ts";
import { duration, megabytes } from "./terminal.ts";

/** The options of the trainer that tries: an epoch of two updates, which nothing ends early. */
export function tryOptions(options: TrainerOptions): TrainerOptions {
  const updates = Math.min(2, stepsOf(options) / (options.accumulate ?? 1));
  const limits = { epochs: 1, max_steps: 0, patience: 0 };
  return { ...options, ...limits, limit_batches: updates * (options.accumulate ?? 1) };
}

interface Trial {
  readonly trainer: Trainer;
  readonly options: TrainerOptions;
  readonly config: RunConfig;
}

/** Trains, evaluates, saves and loads with `trainer`, and tells what `options` would take. Keeps nothing. */
export async function dryRun(trial: Trial): Promise<void> {
  const { trainer, options } = trial;
  let training = 0, trained = 0, test = Infinity, saving = { seconds: 0, bytes: 0 };
  // The first update is slower than all that follow.
  const { accumulate = 1 } = options;
  for (let left = stepsOf(tryOptions(options)) - accumulate; left > 0; left--) await trainer.step();
  let began = performance.now();
  for await (const event of trainer.train()) {
    const seconds = (performance.now() - began) / 1000;
    if (event.type === "step") {
      training += seconds;
      trained++;
    } else if (event.type === "evaluate") test = Math.min(test, seconds);
    else saving = await trySaving(trial, event);
    began = performance.now();
  }
  const steps = stepsOf(options), step = training / trained;
  const epoch = steps * step, testing = testBatchesOf(options) * test;
  console.log([
    `A step takes ${step.toFixed(3)} s: ${imagesText(options.batch_size / step)} a second`,
    `An epoch of ${steps} steps takes ${duration(epoch)}, its test ${duration(testing)}, saving it ${
      saving.seconds.toFixed(1)
    } s`,
    `All ${options.epochs} epochs would take ${
      duration(options.epochs * (epoch + testing + saving.seconds))
    }`,
    `Memory ${megabytes(trainer.session.memory.totalBytes)}; a checkpoint is ${megabytes(saving.bytes)}`,
    "All parts work; nothing was kept.",
  ].join("\n"));
}

/** Saves an epoch and loads it. The folder is there no longer than that takes: whoever is interrupted leaves it. */
async function trySaving(
  { trainer, options, config }: Trial,
  event: EpochEvent,
): Promise<{ seconds: number; bytes: number }> {
  const output = await Deno.makeTempDir({ prefix: "strata-dry-run-" });
  try {
    const keeper = await createKeeper({ trainer, options, config, output, checkpoint: undefined });
    const began = performance.now();
    await keeper.saveEpoch(event, { seconds: 0, images_per_second: undefined });
    const seconds = (performance.now() - began) / 1000;
    const last = join(output, LAST);
    restore(options.model, trainer.session, readSafetensors(await readBytes(last), last), last);
    const { size } = (await statIfThere(last))!;
    return { seconds, bytes: size };
  } finally {
    await Deno.remove(output, { recursive: true });
  }
}
