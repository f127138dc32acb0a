/**
 * The training steps of a run. A step is one run of the train graph, and while that runs, the next batch is put together. As
 * many steps are under way as the backend would have: their losses are read late, and those after a step that failed
 * change nothing, see op latch.
 */
import type { ReadOutput, Session } from "../backend/backend.ts";
import { allocateBatch, trainFiller } from "../data/batches.ts";
import { diagnose } from "./diagnose.ts";
import { createFeed, type Place } from "./feed.ts";
import { NotFinite } from "./not_finite.ts";
import { endOf, type Progress, stepsOf } from "./progress.ts";
import { type StepNumbers, stepNumbers } from "./step_numbers.ts";
import type { Evaluation, Figures, Judged } from "./task.ts";
import type { TrainerOptions } from "./trainer.ts";

/** A step that was read. */
export interface StepEvent {
  readonly type: "step";
  /** Counted from 1. */
  readonly epoch: number;
  readonly step: number;
  readonly steps: number;
  /** Steps of the run so far, this one among them. */
  readonly batches: number;
  readonly loss: number;
  /** Of this step alone, and of the epoch so far. */
  readonly own: Figures;
  readonly figures: Figures;
  readonly lr: number;
}

/** Takes steps, and keeps `progress` that of the steps that were read. */
export interface Steps {
  /** Begins steps of the epoch, as many as should be under way, and reads the oldest; undefined where none is left. */
  next(): Promise<StepEvent | undefined>;
  /** Takes one step, alone. */
  one(): Promise<StepEvent>;
  /** Reads all steps under way, so that progress is that of the weights. Nothing is, after a step that failed. */
  settle(): Promise<void>;
  /** Whether weights and progress belong together: not while steps are under way, and not after one that failed. */
  readonly whole: boolean;
  /** Begins to put together the batches of the run's beginning. */
  prefetch(): void;
  /** Forgets all steps: the run is at its beginning. */
  reset(): void;
  /** See `Feed.waited`. */
  readonly waited: number;
}

/** A step that has begun. */
interface Begun {
  readonly place: Place;
  readonly numbers: StepNumbers;
  readonly lr: number;
  readonly read: ReadOutput;
}

/** `onLast` is called when the last step of an epoch has begun. */
export function createSteps(
  session: Session,
  options: TrainerOptions<Judged>,
  progress: Progress,
  onLast: () => void,
): Steps {
  const { data, batch_size, epochs, accumulate = 1, task } = options;
  const steps = stepsOf(options);
  const feed = createFeed(session, "train", {
    allocate: () => allocateBatch(data.train, batch_size),
    fill: trainFiller(data.train, options.seed),
    after: ({ epoch, step }) =>
      step + 1 < steps
        ? { epoch, step: step + 1 }
        : epoch + 1 < epochs
        ? { epoch: epoch + 1, step: 0 }
        : undefined,
    ahead: data.train.ahead,
  });
  const inputs = session.inputNames("train");
  const clips = (options.clip_grad ?? 0) > 0;
  const image = [data.train.height, data.train.width] as const;
  /** Steps that have begun and were not read yet, the oldest first. */
  let underWay: Begun[] = [];
  /** Steps that were read and not told yet. */
  let read: StepEvent[] = [];
  /** Whether all steps that were read ended well. */
  let sound = true;

  /** How far the run is once all that has begun has ended. */
  function ahead(): Progress {
    const step = progress.step + underWay.length;
    const updates = Math.floor(step / accumulate) - Math.floor(progress.step / accumulate);
    return {
      ...progress,
      step,
      batches: progress.batches + underWay.length,
      updates: progress.updates + updates,
    };
  }

  /** Begins the step that follows those under way. */
  async function begin(): Promise<void> {
    const reached = ahead();
    const place = { epoch: reached.epoch, step: reached.step };
    // All batches of an update have the learning rate of the first.
    const lr = options.lr(place.epoch + (place.step - place.step % accumulate) / steps);
    const numbers = stepNumbers({ ...options, image }, reached, lr);
    // Whatever goes wrong with data goes wrong before anything is written.
    await feed.ready(place);
    for (const input of inputs) if (numbers[input]) session.write("train", input, numbers[input]);
    const { read } = await feed.begin(place);
    underWay.push({ place, numbers, lr, read });
    if (place.step + 1 === steps) onLast();
  }

  /** Reads the oldest step under way. */
  async function end(): Promise<StepEvent> {
    const { place, numbers, lr, read } = underWay[0]!;
    const number = async (output: string) => (await read(output))[0]!;
    sound = false;
    const loss = await number("loss");
    if (!Number.isFinite(loss)) await fail("the loss", loss, place, numbers);
    const norm = clips ? await number("grad_norm") : 0;
    if (!Number.isFinite(norm)) await fail("the norm of the gradients", norm, place, numbers);
    const tally = await task.tally(read, batch_size, numbers);
    underWay.shift();
    progress.step++;
    progress.batches++;
    if (progress.step % accumulate === 0) progress.updates++;
    for (const [name, sum] of Object.entries(tally)) {
      progress.figure_sums[name] = (progress.figure_sums[name] ?? 0) + sum;
    }
    progress.loss_sum += loss * batch_size;
    progress.seen += batch_size;
    sound = true;
    const own = means(tally, batch_size);
    const { figures } = evaluationSoFar(progress);
    const { step, batches } = progress;
    return { type: "step", epoch: place.epoch + 1, step, steps, batches, loss, own, figures, lr };
  }

  /** Reads all steps under way, so that progress is that of the weights. Nothing is, after a step that failed. */
  async function settle(): Promise<void> {
    while (sound && underWay.length > 0) read.push(await end());
  }

  /** Begins steps of the epoch, as many as should be under way, and reads the oldest; undefined where none is left. */
  async function next(): Promise<StepEvent | undefined> {
    const mayBegin = () => {
      const reached = ahead();
      return underWay.length < session.depth("train") && reached.step < steps && !endOf(reached, options);
    };
    if (read.length === 0) {
      while (mayBegin()) await begin();
      if (underWay.length > 0) read.push(await end());
    }
    return read.shift();
  }

  async function fail(what: string, value: number, place: Place, numbers: StepNumbers): Promise<never> {
    const cause = await diagnose(options, session, { place, numbers });
    throw new NotFinite(`epoch ${place.epoch + 1}, step ${place.step + 1}: ${what} is ${value}; ${cause}`);
  }

  return {
    next,
    async one() {
      await begin();
      await settle();
      return read.pop()!;
    },
    settle,
    get whole() {
      return sound && underWay.length === 0;
    },
    prefetch: () => feed.prefetch({ epoch: 0, step: 0 }),
    reset() {
      [underWay, read, sound] = [[], [], true];
    },
    get waited() {
      return feed.waited;
    },
  };
}

/** Means over the samples of the epoch under way. */
export function evaluationSoFar({ loss_sum, figure_sums, seen }: Progress): Evaluation {
  return { loss: loss_sum / seen, figures: means(figure_sums, seen) };
}

function means(sums: Figures, count: number): Figures {
  return Object.fromEntries(Object.entries(sums).map(([name, sum]) => [name, sum / count]));
}
