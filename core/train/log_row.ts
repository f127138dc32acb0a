/** An epoch as a line of the log has it. */
import type { LogRow } from "../metrics/log.ts";
import type { Figures } from "./task.ts";
import type { TrainingEvent } from "./trainer.ts";

export type EpochEvent = Extract<TrainingEvent, { type: "epoch" }>;

/** What an epoch took. */
export interface EpochTiming {
  readonly seconds: number;
  /** Training images a second, without the evaluation; undefined where the run was resumed after the last step. */
  readonly images_per_second: number | undefined;
}

export function logRow(
  { epoch, train, test, lr, data_wait }: EpochEvent,
  { seconds, images_per_second }: EpochTiming,
): LogRow {
  return {
    epoch,
    train_loss: rounded(train.loss, 6),
    ...columns("train", train.figures),
    test_loss: rounded(test.loss, 6),
    ...columns("test", test.figures),
    lr: Number(lr.toPrecision(8)),
    ...images_per_second === undefined ? {} : { images_per_second: rounded(images_per_second, 1) },
    data_wait: rounded(data_wait, 4),
    seconds: rounded(seconds, 2),
  };
}

/** A task's figures have the columns of their names. */
function columns(part: "train" | "test", figures: Figures): LogRow {
  return Object.fromEntries(
    Object.entries(figures).map(([name, value]) => [`${part}_${name}`, rounded(value, 6)]),
  );
}

function rounded(value: number, digits: number): number {
  return Number(value.toFixed(digits));
}
