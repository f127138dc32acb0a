/** Writes a run's files. */
import { type LogRow, scoreOf } from "../core/metrics/log.ts";
import type { Safetensors } from "../core/format/safetensors.ts";
import { toCheckpoint } from "../core/train/checkpoint.ts";
import type { TestResult } from "../core/train/evaluation.ts";
import type { StepEvent } from "../core/train/steps.ts";
import type { Trainer, TrainerOptions } from "../core/train/trainer.ts";
import type { DamagedList } from "../host/images/damaged.ts";
import * as folder from "../host/run_folder.ts";
import { type EpochEvent, type EpochTiming, logRow } from "../core/train/log_row.ts";
import type { RunConfig } from "./resume.ts";

export interface Keeper {
  /** The newest checkpoint that a run can go on from; undefined where there is none yet. */
  readonly last: string | undefined;
  /** The epochs so far. */
  readonly log: readonly LogRow[];
  /** What stands before the first step of a new run. */
  begin(): Promise<void>;
  /** And of one that goes on where its checkpoint is not the newest. */
  moveIn(): Promise<void>;
  /**
   * An epoch's best weights, log and checkpoints. The one to go on from comes last, so that a run that is killed before
   * repeats the epoch, and writes the same files again.
   */
  saveEpoch(event: EpochEvent, timing: EpochTiming): Promise<void>;
  /** Keeps the weights as they are as the best so far, by their test. */
  takeAsBest(test: TestResult): Promise<void>;
  saveLast(): Promise<void>;
  /** Saves if the last time is longer ago than the settings allow, and what the first epoch has trained. */
  saveInTime(step: StepEvent): Promise<void>;
}

export interface KeeperOptions {
  readonly trainer: Trainer;
  readonly options: TrainerOptions;
  readonly config: RunConfig;
  /** The run's folder. */
  readonly output: string;
  /** The checkpoint in the folder; undefined where there is none yet. */
  readonly checkpoint: string | undefined;
  /** Images that are found to be damaged; not of a trial. */
  readonly damaged?: DamagedList;
}

export async function createKeeper(
  { trainer, options, config, output, checkpoint, damaged }: KeeperOptions,
): Promise<Keeper> {
  const { progress, session } = trainer;
  // By their numbers: somebody may have moved an older log away.
  const log = (await folder.readLog(output)).filter(({ epoch = 0 }) => epoch <= progress.epoch);
  let last = checkpoint;
  let saved = performance.now();

  const contents = (optimizer: boolean) => {
    const header = { model: config.model, progress, config };
    return toCheckpoint(options.model, session, header, { optimizer });
  };
  const saveBest = async () => {
    await folder.saveCheckpoint(output, folder.BEST, await contents(false));
  };
  const keepLast = async (checkpoint: Safetensors) => {
    last = await folder.saveCheckpoint(output, folder.LAST, checkpoint);
    await folder.saveConfig(output, config);
    await damaged?.saveIn(output);
    saved = performance.now();
  };
  const saveLast = async () => {
    await trainer.settle();
    await keepLast(await contents(true));
  };

  return {
    log,
    get last() {
      return last;
    },
    begin: () => folder.saveConfig(output, config),
    async moveIn() {
      if (log.length > 0) await folder.saveLog(output, log);
      await saveLast();
    },
    async saveEpoch(event, timing) {
      const { epoch, test: { score } } = event;
      if (event.best) await saveBest();
      if (config.save_top_k > 1) {
        const scores = new Map(log.map((row) => [row.epoch!, scoreOf(row) ?? 0])).set(epoch, score);
        await folder.saveRanked(output, config.save_top_k, epoch, scores, () => contents(false));
      }
      log.push(logRow(event, timing));
      await folder.saveLog(output, log);
      const checkpoint = await contents(true);
      if (config.save_every > 0 && epoch % config.save_every === 0) {
        await folder.saveCheckpoint(output, folder.numberedName(epoch), checkpoint);
      }
      await keepLast(checkpoint);
    },
    async takeAsBest({ score }) {
      const { epoch, step } = progress;
      Object.assign(progress, { best_score: score, best_epoch: step > 0 ? epoch + 1 : epoch });
      await saveBest();
    },
    saveLast,
    async saveInTime({ step, steps }) {
      const minutes = (performance.now() - saved) / 60_000;
      const isDue = config.save_every_minutes > 0 && minutes >= config.save_every_minutes;
      // The best weights with nothing to go on from beside them would be neither a run nor none.
      if (isDue || (last === undefined && step === steps)) await saveLast();
    },
  };
}
