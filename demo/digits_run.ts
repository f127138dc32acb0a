/** The run on the page: a network learns the digits that come with Strata, as `train` would teach it. */
import type { Backend } from "../core/backend/backend.ts";
import type { DatasetSplit } from "../core/data/dataset.ts";
import type { Module } from "../core/nn/mod.ts";
import { schedule } from "../core/optim/schedule.ts";
import { classification } from "../core/train/classification.ts";
import { stepsOf } from "../core/train/progress.ts";
import type { TrainerOptions } from "../core/train/trainer.ts";
import { classifiers } from "./classifier.ts";
import { Linear, SmallNet } from "./small_nets.ts";

const EPOCHS = 7, BATCH_SIZE = 64, WEIGHT_DECAY = 0.01;

/** Height and width of the digits, and of the images that these networks are made for. */
const SIDE = 32;

/** What may learn them, by name. */
export const learners = new Map<string, (options: { num_classes: number }) => Module>([
  ["small_net", () => new SmallNet()],
  ["linear", () => new Linear()],
  ...classifiers.filter(([, { input }]) => input[1] === SIDE)
    .map(([name, { create }]) => [name, create] as const),
]);

/** Everything that a trainer takes; `lr` is the highest of one cycle. */
export function digitsRun(backend: Backend, data: DatasetSplit, learner: string, lr: number): TrainerOptions {
  const images = { data, batch_size: BATCH_SIZE };
  const steps = stepsOf(images);
  const rate = schedule({ name: "onecycle", lr, max_lr: lr, total_steps: EPOCHS * steps });
  return {
    backend,
    model: learners.get(learner)!({ num_classes: data.train.classes.length }),
    ...images,
    epochs: EPOCHS,
    optimizer: { name: "adamw", weight_decay: WEIGHT_DECAY },
    lr: (epochs) => rate(epochs * steps),
    task: classification(),
    seed: 0,
  };
}
