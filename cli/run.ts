/** A run: trains to its end, or to a signal, or to what goes wrong, and keeps what it makes. */
import { DeviceLost } from "../core/backend/backend.ts";
import { within } from "../core/within.ts";
import { endOf, type Progress, stepsOf } from "../core/train/progress.ts";
import type { TestResult } from "../core/train/evaluation.ts";
import type { TrainingEvent } from "../core/train/trainer.ts";
import { NotFinite } from "../core/train/not_finite.ts";
import { CannotWrite } from "../host/atomic_write.ts";
import { describeEnding, type Ending } from "./ending.ts";
import { goOn } from "./going_on.ts";
import { LOST, NOT_FINITE } from "./main.ts";
import { createKeeper, type Keeper, type KeeperOptions } from "./keeper.ts";
import type { LivePage } from "./live_page.ts";
import { createRunPictures, type RunPictures } from "./run_pictures.ts";
import { scoreLine } from "./figures.ts";
import { createReport, createTestReport } from "./report.ts";
import { STOPPED, watchSignals } from "./signals.ts";

/** What pictures may take after a fault, in milliseconds: what they show may be gone. */
const LAST_PICTURES = 20_000;

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
  const pictures = run.pictures ? createRunPictures(run, keeper.log) : undefined;
  const signal = watchSignals();
  try {
    const ending = await trainToEnd(run, keeper, pictures, () => signal.received !== undefined);
    await tell(ending);
    return signal.received && ending === "signal" ? STOPPED[signal.received] : 0;
  } catch (error) {
    await rescue(run, keeper, error);
    const code = error instanceof NotFinite ? NOT_FINITE : error instanceof DeviceLost ? LOST : undefined;
    if (code !== undefined) {
      const advice = code === LOST ? ": start the run again" : "";
      const left = keeper.last
        ? `the last good checkpoint is ${keeper.last}`
        : `there is no checkpoint yet${advice}`;
      console.error(`error: ${(error as Error).message}; ${left}`);
    }
    if (pictures) await within(LAST_PICTURES, pictures.finish());
    await tell(code === NOT_FINITE ? "not finite" : "error", console.error);
    if (code !== undefined) return code;
    throw error;
  } finally {
    signal.stop();
  }
}

/** Saves what a fault has left whole. A disk that is full stays full. */
async function rescue(run: Run, keeper: Keeper, error: unknown): Promise<void> {
  if (error instanceof DeviceLost || error instanceof CannotWrite) return;
  try {
    if (error instanceof NotFinite) await saveBeginning(run, keeper);
    else await saveMiddle(run, keeper);
  } catch {
    // What went wrong first is what the user has to hear of.
  }
}

/** Weights that are not finite any more are not kept; what they began with is, where nothing else is there. */
async function saveBeginning({ begin }: Run, keeper: Keeper): Promise<void> {
  if (!begin || keeper.last) return;
  await begin();
  await keeper.saveLast();
}

/** Where the fault is elsewhere, in the data say. */
async function saveMiddle({ trainer, options }: Run, keeper: Keeper): Promise<void> {
  const { progress } = trainer;
  if (!trainer.whole || progress.step === 0) return;
  await keeper.saveLast();
  console.error(stoppedWithin(progress, stepsOf(options)));
}

function stoppedWithin({ epoch, step }: Progress, steps: number): string {
  return `Stopped in epoch ${epoch + 1} after step ${step} of ${steps}; nothing is lost.`;
}

async function trainToEnd(
  run: Run,
  keeper: Keeper,
  pictures: RunPictures | undefined,
  stopped: () => boolean,
): Promise<Ending> {
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
  let test: TestResult | undefined;
  let ending: Ending | undefined;
  try {
    if (run.begin) await keeper.begin();
    else await goOn(run, keeper);
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
      else if (isLate() && !awaitsTest(event)) ending = "max_time";
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

/** Whether an epoch is trained and its test is not done: what ends a run in good order tests it anyway. */
function awaitsTest(event: TrainingEvent): boolean {
  return event.type === "evaluate" || event.type === "step" && event.step === event.steps;
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
  if (progress.step > 0 && (progress.best_epoch === 0 || test.score > progress.best_score)) {
    await keeper.takeAsBest(test);
    await keeper.saveLast();
    await pictures?.answers({ epoch, test });
  }
  console.log(scoreLine(test));
}
