/** A run: trains to the end, or to a signal, or to a loss that is not finite, and keeps what it makes. */
import { join } from "node:path";
import { trainSteps } from "../core/data/batches.ts";
import { toCheckpoint } from "../core/train/checkpoint.ts";
import { NotFinite, type Trainer, type TrainerOptions, type TrainingEvent } from "../core/train/trainer.ts";
import { statIfThere } from "../host/files.ts";
import * as folder from "../host/run_folder.ts";
import type { Dashboard } from "./dashboard.ts";
import { createReport, createTestReport, type EpochTiming, percent } from "./report.ts";
import type { RunConfig } from "./resume.ts";
import { STOPPED, watchSignals } from "./signals.ts";

const LOG_HEADER =
  "epoch,train_loss,train_accuracy,test_loss,test_accuracy,lr,seconds,images_per_second,data_wait";

/** Exit code of a run whose loss or weights are no longer finite. */
const NOT_FINITE = 3;

type EpochEvent = Extract<TrainingEvent, { type: "epoch" }>;

export interface Run {
  readonly trainer: Trainer;
  readonly options: TrainerOptions;
  readonly config: RunConfig;
  /** The run's folder. */
  readonly output: string;
  /** Whether it begins with what `trainer.initialise()` draws: that is kept only where it turns out to be needed. */
  readonly fresh: boolean;
  /** The checkpoint in the folder; undefined where there is none yet. */
  readonly checkpoint: string | undefined;
  readonly printEvery: number | undefined;
  readonly dashboard: Dashboard | undefined;
}

/** Returns the exit code. */
export async function run(run: Run): Promise<number> {
  const { trainer, options, output, printEvery } = run;
  const { progress } = trainer;
  const steps = trainSteps(options.data.train, options.batch_size);
  const keeper = await createKeeper(run);
  let lastGood = run.checkpoint;
  const signal = watchSignals();
  const report = createReport({
    epochs: options.epochs,
    batch_size: options.batch_size,
    steps,
    before: progress.epoch * steps + progress.step,
    printEvery: printEvery ?? Math.min(100, Math.ceil(steps / 4)),
  });
  let accuracy: number | undefined;
  try {
    if (run.fresh) await folder.saveConfig(output, run.config);
    else lastGood ??= await keeper.saveLast();
    report.startEpoch();
    for await (const event of trainer.train()) {
      const timing = report.show(event);
      await run.dashboard?.show(event, report.pace());
      if (event.type === "epoch") {
        accuracy = event.test.accuracy;
        await keeper.saveEpoch(event, timing!);
        lastGood = await keeper.saveLast();
        report.startEpoch();
      }
      if (signal.received && progress.epoch < options.epochs) {
        report.stop();
        if (event.type !== "epoch") await keeper.saveLast();
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
    if (run.fresh && !lastGood) {
      await trainer.initialise();
      lastGood = await keeper.saveLast();
    }
    const kept = lastGood ? `; the last good checkpoint is ${lastGood}` : "";
    console.error(`error: ${error.message}${kept}`);
    return NOT_FINITE;
  } finally {
    signal.stop();
  }
  printAccuracy(accuracy ?? (await trainer.evaluate(createTestReport())).accuracy);
  const { best_accuracy, best_epoch } = progress;
  const best = join(output, folder.BEST);
  const weights = await statIfThere(best) ? `; weights in ${best}` : "";
  console.log(`Best: ${percent(best_accuracy)} in epoch ${best_epoch}${weights}`);
  return 0;
}

/** Prints the line that the course's program ends with. */
export function printAccuracy(accuracy: number): void {
  console.log(`Accuracy of the model on the test images: ${percent(accuracy)}`);
}

/** Writes a run's files. */
async function createKeeper({ trainer, options, config, output }: Run) {
  const { progress, session } = trainer;
  const log = (await folder.readLog(output)).slice(0, progress.epoch);
  const save = async (name: string, optimizer: boolean) => {
    const header = { model: config.model, progress, config };
    const checkpoint = await toCheckpoint(options.model, session, header, { optimizer });
    return await folder.saveCheckpoint(output, name, checkpoint);
  };
  return {
    /** To be called before `saveLast`: a crash between them then repeats the epoch, and loses nothing. */
    async saveEpoch(event: EpochEvent, timing: EpochTiming): Promise<void> {
      if (event.best) await save(folder.BEST, false);
      log.push(logLine(event, timing));
      await folder.saveLog(output, LOG_HEADER, log);
    },
    /** Returns the checkpoint's path. */
    async saveLast(): Promise<string> {
      const path = await save(folder.LAST, true);
      await folder.saveConfig(output, config);
      return path;
    },
  };
}

function logLine(
  { epoch, train, test, lr, data_wait }: EpochEvent,
  { seconds, images_per_second }: EpochTiming,
): string {
  const rounded = [train.loss, train.accuracy, test.loss, test.accuracy].map((value) => value.toFixed(6));
  return [
    epoch,
    ...rounded,
    lr,
    seconds.toFixed(2),
    images_per_second?.toFixed(1) ?? "",
    data_wait.toFixed(4),
  ].join(",");
}
