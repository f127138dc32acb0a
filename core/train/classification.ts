/** Training a classifier: cross entropy, and how many images are right. */
import type { ReadOutput, Session } from "../backend/backend.ts";
import { allocateBatch, type Batch, DOES_NOT_COUNT, MOVES } from "../data/batches.ts";
import { classTarget, type Dataset } from "../data/dataset.ts";
import { CENTRE_OF_TEN, TEN_CROPS } from "../data/transforms/crop.ts";
import { UserError } from "../errors.ts";
import { f32 } from "../graph/graph.ts";
import { collectPredictions, softmax, topAccuracy } from "../metrics/predictions.ts";
import { add, crossEntropy, multiply } from "../nn/functional.ts";
import { classificationLoss, scoresOf } from "../nn/output.ts";
import type { Tensor } from "../nn/tensor.ts";
import type { Tracer } from "../nn/trace.ts";
import type { ClassAnswers } from "./answers.ts";
import { drawMix, type MixOptions } from "./mix.ts";
import { counting, type Evaluation, expectImages, type Judge, type JudgeOptions, type Task } from "./task.ts";

/** The smallest float32: a probability that was rounded to 0 is no reason for an infinite loss. */
const LEAST = 2 ** -149;

export const testTimeAugmentations = ["flip", "ten-crop"] as const;
export type TestTimeAugmentation = typeof testTimeAugmentations[number];

/** How a classifier is trained and tested. */
export interface ClassificationOptions {
  /** See op cross_entropy; 0 by default. */
  readonly label_smoothing?: number | undefined;
  /** How the images of a batch are mixed with each other, if they are. */
  readonly mix?: MixOptions | undefined;
  /**
   * In evaluations, averages the probabilities of each image with those of its mirror image, or those of TenCrop's parts;
   * the loss is that of the average.
   */
  readonly tta?: TestTimeAugmentation | undefined;
}

/** A classifier's test. */
export interface ClassificationResult extends Evaluation, ClassAnswers {
  /** The accuracy. */
  readonly score: number;
  /** 0 … 1 */
  readonly accuracy: number;
  /** How often the right class is among the five likeliest, 0 … 1. */
  readonly top5: number;
}

/**
 * The train graph's further inputs, where images are mixed: `mix`, `target_share`, `partner_share`. Its further outputs:
 * `correct`, how many were right by `target`, and `partners_correct`, by those of mixed images' partners. Outputs of an
 * evaluation: `loss`, `correct`, `scores`.
 */
export function classification(options: ClassificationOptions = {}): Task<ClassificationResult> {
  const { label_smoothing = 0, mix, tta } = options;
  return {
    target: classTarget,
    score: "accuracy",
    input: mix &&
      ((tracer, images) =>
        tracer.apply("mix_images", [images.value, tracer.input("mix", f32([5])).value], {})),
    numbers: mix && ((place, image) => {
      const { mix: mixed, share } = drawMix(mix, image, place);
      return { mix: mixed, target_share: [share], partner_share: [1 - share] };
    }),
    loss(tracer, output, target) {
      const lossTo = (target: Tensor) => classificationLoss(output, target, { label_smoothing });
      const own = lossTo(target);
      const scores = scoresOf(output);
      countCorrect(tracer, "correct", scores, target);
      if (!mix) return own;
      const partners = tracer.apply("flip", [target.value], {});
      countCorrect(tracer, "partners_correct", scores, partners);
      return mixedLoss(tracer, own, lossTo(partners));
    },
    async tally(read, _images, { target_share: [share = 1] = [] }) {
      // Right is whoever has the larger share of an image, as in torchvision's training.
      return { accuracy: (await read(share >= 0.5 ? "correct" : "partners_correct"))[0]! };
    },
    answers(tracer, output, target) {
      const scores = scoresOf(output);
      countCorrect(tracer, "correct", scores, target);
      tracer.builder.output("loss", crossEntropy(scores, target, { reduction: "sum" }).value);
      tracer.builder.output("scores", scores.value);
    },
    classes: ({ outputs }) => outputs.get("scores")!.shape[1]!,
    judge: (options) => classJudge(options, tta),
  };
}

function countCorrect({ builder }: Tracer, output: string, scores: Tensor, target: Tensor): void {
  const [correct] = builder.emit("count_correct", [scores.value, target.value], { k: 1 });
  builder.output(output, correct!);
}

/** The loss to the own target and that to the partner's, each with its share. */
function mixedLoss(tracer: Tracer, own: Tensor, partners: Tensor): Tensor {
  const share = (name: string) => tracer.input(name, f32([]));
  return add(multiply(own, share("target_share")), multiply(partners, share("partner_share")));
}

function classJudge(
  options: JudgeOptions,
  tta: TestTimeAugmentation | undefined,
): Judge<ClassificationResult> {
  const { session, graph, data: { test }, batch_size, batches } = options;
  const collector = collectPredictions(batches * batch_size, test.classes.length);
  const parts = tta === "ten-crop" ? otherParts(test as Dataset, batch_size) : undefined;
  let lossSum = 0, correct = 0, count = 0;
  return {
    again: tta !== undefined,
    async take({ batch, read, sampleAt }) {
      const number = async (output: string) => (await read(output))[0]!;
      const probabilities = await readProbabilities(read, batch_size);
      const slots = [...counting(batch, batch_size, DOES_NOT_COUNT)];
      if (tta === "flip") await addMirrored(session, graph, batch.moves, probabilities);
      if (parts) {
        const samples = Uint32Array.from({ length: (slots.at(-1) ?? -1) + 1 }, (_, slot) => sampleAt(slot));
        await addParts(session, graph, parts, samples, probabilities);
      }
      if (!tta) {
        lossSum += await number("loss");
        correct += await number("correct");
      }
      for (const slot of slots) {
        const [wanted, own] = [batch.target[slot]!, probabilities[slot]!];
        if (tta) lossSum -= Math.log(Math.max(own[wanted]!, LEAST));
        collector.add(sampleAt(slot), wanted, own);
        count++;
      }
    },
    answers: () => ({ kind: "classes", predictions: collector.finish() }),
    result() {
      expectImages(count, test);
      const predictions = collector.finish();
      const accuracy = tta ? topAccuracy(predictions, 1) : correct / count;
      const top5 = topAccuracy(predictions, 5);
      return {
        kind: "classes",
        loss: lossSum / count,
        figures: { accuracy, top5 },
        score: accuracy,
        accuracy,
        top5,
        predictions,
      };
    },
  };
}

/** Of each slot of a batch, the softmax of its scores. */
async function readProbabilities(read: ReadOutput, batch: number): Promise<Float32Array[]> {
  const scores = await read("scores");
  const classes = scores.length / batch;
  return Array.from({ length: batch }, (_, slot) => {
    return softmax(scores.subarray(slot * classes, (slot + 1) * classes));
  });
}

/** Runs the batch again, mirrored, and averages. */
async function addMirrored(
  session: Session,
  graph: string,
  moves: Batch["moves"],
  probabilities: readonly Float32Array[],
): Promise<void> {
  session.write(graph, "moves", moves.map((move, i) => i % MOVES === 2 ? 1 - move : move));
  average(probabilities, [await readProbabilities(await session.begin(graph), probabilities.length)]);
}

interface Parts {
  readonly views: readonly Dataset[];
  readonly batch: Batch;
}

/** TenCrop's parts without the middle one, which every evaluation sees. */
function otherParts(test: Dataset, batch_size: number): Parts {
  const { tenCrop } = test;
  if (!tenCrop) {
    throw new UserError(`${test.name}: its images have no parts of the network's size: no ten-crop`);
  }
  const indices = Array.from({ length: TEN_CROPS }, (_, index) => index).filter((i) => i !== CENTRE_OF_TEN);
  return { views: indices.map(tenCrop), batch: allocateBatch(test, batch_size) };
}

/** Runs the batch's images again, each time another part of them, and averages. */
async function addParts(
  session: Session,
  graph: string,
  { views, batch }: Parts,
  samples: Uint32Array,
  probabilities: readonly Float32Array[],
): Promise<void> {
  const others: Float32Array[][] = [];
  for (const view of views) {
    await view.fill(batch, samples, undefined);
    session.write(graph, "pixels", batch.pixels);
    others.push(await readProbabilities(await session.begin(graph), probabilities.length));
  }
  average(probabilities, others);
}

/** Puts the mean of each slot's own and all its other probabilities in the place of its own. */
function average(probabilities: readonly Float32Array[], others: readonly Float32Array[][]): void {
  probabilities.forEach((own, slot) => {
    for (let i = 0; i < own.length; i++) {
      own[i] = others.reduce((sum, other) => sum + other[slot]![i]!, own[i]!) / (others.length + 1);
    }
  });
}
