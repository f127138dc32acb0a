/** What a network is trained for: what its loss is, and how its answers are judged. The loop is the same for all. */
import type { ReadOutput, Session } from "../backend/backend.ts";
import type { Batch } from "../data/batches.ts";
import type { DatasetSplit, ImageSet, TargetType } from "../data/dataset.ts";
import { UserError } from "../errors.ts";
import type { Graph } from "../graph/graph.ts";
import type { ModelOutput } from "../nn/output.ts";
import type { Tensor } from "../nn/tensor.ts";
import type { Tracer } from "../nn/trace.ts";
import type { Answers } from "./answers.ts";
import type { StepNumbers } from "./step_numbers.ts";

/** Figures of a training beside its loss, such as `accuracy`: shares (0 … 1), and parts of the loss. */
export type Figures = Readonly<Record<string, number>>;

/** Loss and figures, over an epoch or a test. */
export interface Evaluation {
  /** The mean over all samples. */
  readonly loss: number;
  readonly figures: Figures;
}

/** How good a network was on the test images. */
export type Judged = Evaluation & Answers & {
  /** What the best epoch has most of, 0 … 1. */
  readonly score: number;
};

/** Where in a run a step is. */
export interface StepPlace {
  readonly seed: number;
  readonly epoch: number;
  readonly step: number;
}

/** What is trained: see classification.ts and detection.ts. */
export interface Task<Result extends Judged = Judged> {
  /** What of each image a batch's `target` has. */
  readonly target: TargetType;
  /** Name of the figure that is the score. */
  readonly score: string;
  /** What becomes of a training batch's images before the network gets them. */
  readonly input?: ((tracer: Tracer, images: Tensor) => Tensor) | undefined;
  /** Numbers that the inputs of `input` and `loss` take at a step, on images of this height and width. */
  readonly numbers?:
    | ((place: StepPlace, image: readonly [number, number]) => Readonly<Record<string, readonly number[]>>)
    | undefined;
  /** Appends a training step's loss, the mean over the batch, and the outputs that `tally` reads. */
  loss(tracer: Tracer, output: ModelOutput, target: Tensor): Tensor;
  /** The figures of the step that has just run, summed over its images; `numbers` are those that it was given. */
  tally(read: ReadOutput, images: number, numbers: StepNumbers): Promise<Figures>;
  /** Appends the outputs of an evaluation that `judge` reads; among them `loss`, the sum over the samples that count. */
  answers(tracer: Tracer, output: ModelOutput, target: Tensor): void;
  /** How many classes the network tells apart, by the graph of an evaluation. */
  classes(evaluate: Graph): number;
  /** Judges an evaluation from its beginning. */
  judge(options: JudgeOptions): Judge<Result>;
}

export interface JudgeOptions {
  readonly session: Session;
  /** The graph that evaluates a batch. */
  readonly graph: string;
  readonly data: Pick<DatasetSplit<ImageSet>, "test">;
  readonly batch_size: number;
  readonly batches: number;
}

/** A batch that a network has answered to. */
export interface Answered {
  readonly batch: Asked;
  readonly read: ReadOutput;
  /** Which image is in a slot that counts. */
  sampleAt(slot: number): number;
}

/** What of a batch judges look at. */
export type Asked = Pick<Batch, "target" | "moves">;

export interface Judge<Result extends Judged> {
  /** Whether `take` runs the graph again, on variations of the batch: no other batch may be under way then. */
  readonly again: boolean;
  /** Takes in the answers to a batch, in the order of the batches. */
  take(answered: Answered): Promise<void>;
  /** The answers so far; valid until more are taken in. */
  answers(): Answers;
  /** Where all are taken in. Throws `UserError` where none of the images counts. */
  result(): Result;
}

/** The images of a batch that count; the others fill it up or could not be decoded. */
export function* counting({ target }: Asked, slots: number, none: number): Generator<number> {
  const numbers = target.length / slots;
  for (let slot = 0; slot < slots; slot++) if (target[slot * numbers] !== none) yield slot;
}

/** Throws where no image counted: there is nothing to judge by. */
export function expectImages(count: number, { name }: ImageSet): void {
  if (count === 0) throw new UserError(`${name}: no image to test on can be decoded`);
}
