/** Writes a run's files. */
import { toCheckpoint } from "../core/train/checkpoint.ts";
import type { Trainer, TrainerOptions, TrainingEvent } from "../core/train/trainer.ts";
import * as folder from "../host/run_folder.ts";
import type { EpochTiming } from "./report.ts";
import type { RunConfig } from "./resume.ts";

const LOG_HEADER =
  "epoch,train_loss,train_accuracy,test_loss,test_accuracy,lr,seconds,images_per_second,data_wait";

export type EpochEvent = Extract<TrainingEvent, { type: "epoch" }>;

export interface Keeper {
  /** The newest checkpoint that a run can go on from; undefined where there is none yet. */
  readonly last: string | undefined;
  /** What stands before the first step. */
  begin(): Promise<void>;
  /** An epoch's best weights, log and checkpoints: in an order in which a crash between them loses nothing. */
  saveEpoch(event: EpochEvent, timing: EpochTiming): Promise<void>;
  saveBest(): Promise<void>;
  saveLast(): Promise<void>;
  /** Saves if the last time is longer ago than the settings allow. */
  saveInTime(): Promise<void>;
}

export interface KeeperOptions {
  readonly trainer: Trainer;
  readonly options: TrainerOptions;
  readonly config: RunConfig;
  /** The run's folder. */
  readonly output: string;
  /** The checkpoint in the folder; undefined where there is none yet. */
  readonly checkpoint: string | undefined;
}

export async function createKeeper(
  { trainer, options, config, output, checkpoint }: KeeperOptions,
): Promise<Keeper> {
  const { progress, session } = trainer;
  const log = (await folder.readLog(output)).slice(0, progress.epoch);
  let last = checkpoint;
  let saved = performance.now();

  const contents = (optimizer: boolean) => {
    const header = { model: config.model, progress, config };
    return toCheckpoint(options.model, session, header, { optimizer });
  };
  const saveBest = async () => {
    await folder.saveCheckpoint(output, folder.BEST, await contents(false));
  };
  const saveLast = async () => {
    last = await folder.saveCheckpoint(output, folder.LAST, await contents(true));
    await folder.saveConfig(output, config);
    saved = performance.now();
  };

  return {
    get last() {
      return last;
    },
    begin: () => folder.saveConfig(output, config),
    async saveEpoch(event, timing) {
      const { epoch, test: { accuracy } } = event;
      if (event.best) await saveBest();
      if (config.save_top_k > 1) {
        await folder.saveRanked(output, config.save_top_k, { epoch, accuracy }, () => contents(false));
      }
      log.push(logLine(event, timing));
      await folder.saveLog(output, LOG_HEADER, log);
      await saveLast();
      if (config.save_every > 0 && epoch % config.save_every === 0) {
        await folder.saveCheckpoint(output, `epoch-${epoch}.safetensors`, await contents(true));
      }
    },
    saveBest,
    saveLast,
    async saveInTime() {
      const minutes = (performance.now() - saved) / 60_000;
      if (config.save_every_minutes > 0 && minutes >= config.save_every_minutes) await saveLast();
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
