/** A run: trains to its end, or to a signal, or to what goes wrong, and keeps what it makes. */
import { DeviceLost } from "../core/backend/backend.ts";
import { endOf, type Progress, stepsOf } from "../core/train/progress.ts";
import type { TestResult } from "../core/train/evaluation.ts";
import { NotFinite } from "../core/train/trainer.ts";
import { CannotWrite } from "../host/atomic_write.ts";
import { describeEnding, type Ending } from "./ending.ts";
import { LOST } from "./main.ts";
import { createKeeper, type Keeper, type KeeperOptions } from "./keeper.ts";
import type { LivePage } from "./live_page.ts";
import { createRunPictures, type RunPictures } from "./run_pictures.ts";
import { scoreLine } from "./figures.ts";
import { createReport, createTestReport } from "./report.ts";
import { STOPPED, watchSignals } from "./signals.ts";

/** Exit code of a run whose loss or weights are no longer finite. */
const NOT_FINITE = 3;

export interface Run extends KeeperOptions {
  /** Puts a new run at its beginning, which is kept only where it turns out to be needed; undefined for a resumed one. */
  readonly begin: (() => Promise<void>) | undefined;
  readonly printEvery: number | undefined;
  /** Whether the folder gets pictures of the results. */
  readonly pictures: boolean;
  readonly dashboard: LivePage | undefined;
}

/** Returns the exit code. */
export async function run(run: Run): Promise<number> {
  const keeper = await createKeeper(run);
  const tell = async (ending: Ending, print: (line: string) => void = console.log) => {
    const lines = await describeEnding(ending, run, keeper.last !== undefined);
    lines.forEach((line) => print(line));
  };
  const signal = watchSignals();
  try {
    const ending = await trainToEnd(run, keeper, () => signal.received !== undefined);
    await tell(ending);
    return signal.received && ending === "signal" ? STOPPED[signal.received] : 0;
  } catch (error) {
    if (error instanceof DeviceLost) {
      const next = keeper.last
        ? `the last good checkpoint is ${keeper.last}`
        : "there is no checkpoint yet: start the run again";
      console.error(`error: ${error.message}; ${next}`);
      await tell("error", console.error);
      return LOST;
    }
    if (!(error instanceof NotFinite)) {
      await rescue(run, keeper, error);
      await tell("error", console.error);
      throw error;
    }
    if (run.begin && !keeper.last) {
      await run.begin();
      await keeper.saveLast();
    }
    console.error(`error: ${error.message}; the last good checkpoint is ${keeper.last}`);
    await tell("not finite", console.error);
    return NOT_FINITE;
  } finally {
    signal.stop();
  }
}

/** Saves what a fault elsewhere has left whole: the data's, say. A disk that is full stays full. */
async function rescue({ trainer, options }: Run, keeper: Keeper, error: unknown): Promise<void> {
  const { progress } = trainer;
  if (!trainer.whole || progress.step === 0 || error instanceof CannotWrite) return;
  try {
    await keeper.saveLast();
    console.error(stoppedWithin(progress, stepsOf(options)));
  } catch {
    // What went wrong first is what the user has to hear of.
  }
}

function stoppedWithin({ epoch, step }: Progress, steps: number): string {
  return `Stopped in epoch ${epoch + 1} after step ${step} of ${steps}; nothing is lost.`;
}

async function trainToEnd(run: Run, keeper: Keeper, stopped: () => boolean): Promise<Ending> {
  const { trainer, options, config, printEvery } = run;
  const { progress } = trainer;
  const steps = stepsOf(options);
  const started = performance.now();
  const isLate = () => config.max_time > 0 && performance.now() - started >= 1000 * config.max_time;
  const report = createReport({
    epochs: options.epochs,
    batch_size: options.batch_size,
    steps,
    before: progress.epoch * steps + progress.step,
    total: Math.min(options.epochs * steps, (config.max_steps || Infinity) * config.accumulate),
    seconds: config.max_time || Infinity,
    printEvery: printEvery ?? Math.min(100, Math.ceil(steps / 4)),
  });
  const pictures = run.pictures ? createRunPictures(run, keeper.log) : undefined;
  let test: TestResult | undefined;
  let ending: Ending | undefined;
  try {
    if (run.begin) await keeper.begin();
    else if (!keeper.last) await keeper.saveLast();
    report.startEpoch();
    for await (const event of trainer.train()) {
      const timing = report.show(event);
      run.dashboard?.show(event, report.pace());
      if (event.type === "epoch") {
        test = event.test;
        await keeper.saveEpoch(event, timing!);
        await pictures?.epoch(event, timing!);
        report.startEpoch();
      }
      if (event.type === "step") await pictures?.step(event);
      if (endOf(progress, options)) continue; // The stream ends by itself, where all is in order.
      if (stopped()) ending = "signal";
      else if (isLate() && event.type !== "evaluate") ending = "max_time";
      if (ending) break;
      if (event.type === "step") await keeper.saveInTime(event);
    }
  } finally {
    report.stop();
  }
  ending ??= endOf(progress, options)!;
  if (progress.step > 0) await keeper.saveLast();
  await pictures?.finish();
  if (progress.step > 0 || ending === "signal") console.log(stoppedWithin(progress, steps));
  if (ending === "signal") return ending;
  if (ending === "patience") {
    console.log(`No epoch of the last ${config.patience} was better: stopped early.`);
  }
  await finish(run, keeper, pictures, progress.step > 0 ? undefined : test);
  return ending;
}

/** Says how good the weights are, and keeps them if they are the best: those of an epoch's middle may be. */
async function finish(
  { trainer }: Run,
  keeper: Keeper,
  pictures: RunPictures | undefined,
  known: TestResult | undefined,
): Promise<void> {
  const { progress } = trainer;
  const test = known ?? await trainer.evaluate(createTestReport());
  const epoch = progress.epoch + 1;
  if (progress.step > 0 && test.score > progress.best_score) {
    Object.assign(progress, { best_score: test.score, best_epoch: epoch });
    await keeper.saveBest();
    await keeper.saveLast();
    await pictures?.answers({ epoch, test });
  }
  console.log(scoreLine(test));
}
