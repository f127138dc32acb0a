/** Follows a run's events, and keeps what its live page shows. */
import { allocateBatch, testedImage } from "../core/data/batches.ts";
import { imageBytes, type ImageSet } from "../core/data/dataset.ts";
import { encodeBmp } from "../core/format/bmp.ts";
import type { LogRow } from "../core/metrics/log.ts";
import { once } from "../core/once.ts";
import type { Answers } from "../core/train/answers.ts";
import { createHistory, type Point } from "../core/train/history.ts";
import { type EpochEvent, logRow } from "../core/train/log_row.ts";
import type { Pace } from "../core/train/stopwatch.ts";
import type { TrainingEvent } from "../core/train/trainer.ts";
import { answerView } from "./answers.ts";
import type { Now, RunFacts, Sample, State, Status } from "./protocol.ts";

const SAMPLES = 12;

export interface RunOptions {
  readonly title: string;
  readonly facts: RunFacts["facts"];
  readonly test: ImageSet;
  /** How many test images an evaluation takes, see `testedImage`. */
  readonly tested: number;
  readonly epochs: number;
  /** Steps in an epoch. */
  readonly steps: number;
  /** Epochs before the run was resumed. */
  readonly before: readonly LogRow[];
}

export interface RunState {
  /** Takes in an event. */
  show(event: TrainingEvent, pace: Pace): void;
  /** Says that the run is in another phase than its events tell. */
  set(status: Status): void;
  /** Everything, for a page that is new. */
  whole(): State;
  /** What has changed since it was last asked for. */
  changes(): Partial<State>;
  /** The test image `index` as the network sees it, as a BMP file; undefined where it is no sample. */
  picture(index: number): Promise<Uint8Array<ArrayBuffer> | undefined>;
}

export function followRun(options: RunOptions): RunState {
  const { test, steps } = options;
  const count = options.tested;
  const view = answerView(test);
  const history = createHistory();
  const epochs = [...options.before];
  const run = {
    title: options.title,
    facts: options.facts,
    kind: view.kind,
    classes: test.classes,
    samples: spread(count, SAMPLES).map((place) => view.truth(testedImage(test, place, count))),
    epochs: options.epochs,
    steps,
  };
  const answers = new Map<number, Sample>();
  let status: Status = { phase: "training", text: "" };
  let now: Now = {
    epoch: epochs.length + 1,
    step: 0,
    loss: null,
    accuracy: null,
    lr: null,
    images_per_second: null,
    seconds_left: null,
    seconds: 0,
  };
  let tested: { readonly epoch: number; readonly answers: Answers } | undefined;
  let precision: State["precision"] = { epoch: 0, classes: [] };

  /** What the pages have not been told yet. */
  const changed = new Set<keyof State>();
  let sentStride = 1;
  let sentRows = 0;

  /** The samples as the network sees them, made when the first page asks. */
  const pictures = once(async () => {
    const batch = allocateBatch(test, run.samples.length);
    await test.fill(batch, Uint32Array.from(run.samples, ({ index }) => index), undefined);
    const { width, height, channels } = test;
    const size = imageBytes(test);
    return run.samples.map((_, i) =>
      encodeBmp(batch.pixels.subarray(i * size, (i + 1) * size), width, height, channels)
    );
  });

  function parts(names: Iterable<keyof State>): Partial<State> {
    const make: { [K in keyof State]: () => State[K] } = {
      run: () => run,
      status: () => status,
      now: () => now,
      history: () => rows(history.stride === sentStride ? sentRows : 0),
      epochs: () => epochs,
      confusion: () => ({
        epoch: tested?.epoch ?? 0,
        seen: tested ? view.seen(tested.answers) : 0,
        total: count,
        ...tested ? view.confusion(tested.answers) : { right: 0, counts: [] },
      }),
      precision: () => precision,
      samples,
    };
    return Object.fromEntries(Array.from(names, (name) => [name, make[name]()]));
  }

  /** Of the evaluation under way, and of the one before those that it has not come to. */
  function samples(): Sample[] {
    for (const { index } of run.samples) {
      const answer = tested && view.answer(tested.answers, index, tested.epoch);
      if (answer) answers.set(index, answer);
    }
    return [...answers.values()];
  }

  function rows(from: number): State["history"] {
    return { stride: history.stride, from, rows: history.points.slice(from).map(rowOf) };
  }

  function step(event: Extract<TrainingEvent, { type: "step" }>, pace: Pace): void {
    const { epoch, step, loss, own: { accuracy = NaN }, figures, lr } = event;
    const images_per_second = pace.images_per_second ?? NaN;
    history.add({ time: epoch - 1 + step / steps, loss, accuracy, lr, images_per_second });
    now = { ...now, epoch, step, loss, accuracy: figures["accuracy"] ?? null, lr };
    status = { phase: "training", text: "" };
    changed.add("history");
  }

  function epoch(event: EpochEvent, pace: Pace): void {
    epochs.push(logRow(event, { seconds: pace.epoch_seconds, images_per_second: pace.images_per_second }));
    changed.add("epochs");
    samples(); // A page that opens within the next test shows the answers of this one.
    if (event.test.kind !== "boxes") return;
    const { classes } = event.test.evaluation.report;
    precision = {
      epoch: event.epoch,
      classes: classes.map(({ ap, objects }) => ({ ap: ap ?? null, objects })),
    };
    changed.add("precision");
  }

  return {
    show(event, pace) {
      if (event.type === "step") step(event, pace);
      else if (event.type === "evaluate") {
        tested = event;
        status = { phase: "testing", text: "" };
        changed.add("confusion").add("samples");
      } else epoch(event, pace);
      now = {
        ...now,
        images_per_second: pace.images_per_second ?? null,
        seconds_left: Number.isFinite(pace.seconds_left) ? pace.seconds_left : null,
        seconds: pace.seconds,
      };
      changed.add("now").add("status");
    },
    set(next) {
      status = next;
      changed.add("status");
    },
    whole: () => ({
      ...parts(["run", "status", "now", "epochs", "confusion", "precision", "samples"]) as State,
      history: rows(0),
    }),
    changes() {
      const made = parts(changed);
      changed.clear();
      sentStride = history.stride;
      sentRows = history.points.length;
      return made;
    },
    async picture(index) {
      const slot = run.samples.findIndex((sample) => sample.index === index);
      return slot < 0 ? undefined : (await pictures())[slot];
    },
  };
}

/** `most` of `count` indices, or all of them, evenly spread. */
function spread(count: number, most: number): number[] {
  const length = Math.min(count, most);
  return Array.from({ length }, (_, i) => Math.floor((i + 0.5) * count / length));
}

function rowOf({ time, loss, accuracy, lr, images_per_second }: Point): (number | null)[] {
  return [time, loss, accuracy, lr, images_per_second].map((value) =>
    Number.isFinite(value) ? Number(value.toPrecision(6)) : null
  );
}
