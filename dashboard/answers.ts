/** What the live page shows of a network's answers: of classifiers their classes, of detectors their boxes. */
import type { Dataset, ImageSet } from "../core/data/dataset.ts";
import type { DetectionDataset } from "../core/data/detection/dataset.ts";
import type { AnnotatedImage } from "../core/data/detection/sample.ts";
import { type Box, scaleBox } from "../core/detect/box.ts";
import { SHOWN } from "../core/detect/detect.ts";
import { confusionMatrix } from "../core/metrics/confusion.ts";
import { answerOf } from "../core/metrics/predictions.ts";
import type { Answers, BoxAnswers, ClassAnswers } from "../core/train/answers.ts";
import type { ConfusionCounts, Sample, ShownBox, ShownImage } from "./protocol.ts";

export interface AnswerView {
  readonly kind: Answers["kind"];
  /** What is true of an image. */
  truth(index: number): ShownImage;
  /** What was answered to it, as far as it was tested. */
  answer(answers: Answers, index: number, epoch: number): Sample | undefined;
  /** How many images were tested. */
  seen(answers: Answers): number;
  /** Of classifiers. */
  confusion(answers: Answers): Pick<ConfusionCounts, "right" | "counts">;
}

export function answerView(test: ImageSet): AnswerView {
  return "labels" in test ? classView(test as Dataset) : boxView(test as DetectionDataset);
}

function classView({ labels, classes }: Dataset): AnswerView {
  const of = (answers: Answers) => (answers as ClassAnswers).predictions;
  return {
    kind: "classes",
    truth: (index) => ({ index, label: labels[index]! }),
    answer(answers, index, epoch) {
      const place = of(answers).samples.indexOf(index);
      if (place < 0) return undefined;
      const { predicted, confidence } = answerOf(of(answers), place);
      return { index, predicted, probability: confidence, epoch };
    },
    seen: (answers) => of(answers).count,
    confusion: (answers) => sparse(confusionMatrix(of(answers), classes.length), classes.length),
  };
}

function sparse(counts: Uint32Array, classes: number): { right: number; counts: number[] } {
  const list: number[] = [];
  let right = 0;
  counts.forEach((count, i) => {
    if (count === 0) return;
    const [truth, predicted] = [Math.floor(i / classes), i % classes];
    list.push(truth, predicted, count);
    if (truth === predicted) right += count;
  });
  return { right, counts: list };
}

/** The most boxes of an image that are shown. */
const MOST = 20;

function boxView({ images }: DetectionDataset): AnswerView {
  const of = (answers: Answers) => (answers as BoxAnswers).images;
  return {
    kind: "boxes",
    truth: (index) => ({
      index,
      boxes: images[index]!.objects.map(({ box, label }) => ({ box: shares(box, images[index]!), label })),
    }),
    answer(answers, index, epoch) {
      const answered = of(answers).find(({ sample }) => sample === index);
      if (!answered) return undefined;
      const shown = answered.detections.filter(({ score }) => score >= SHOWN.conf_threshold).slice(0, MOST);
      const boxes = shown.map(({ box, label, score }) => ({
        box: shares(box, images[index]!),
        label,
        score,
      }));
      return { index, boxes, epoch };
    },
    seen: (answers) => of(answers).length,
    confusion: () => ({ right: 0, counts: [] }),
  };
}

function shares(box: Box, { width, height }: AnnotatedImage): ShownBox["box"] {
  const { x1, y1, x2, y2 } = scaleBox(box, 1 / width, 1 / height);
  return [x1, y1, x2, y2].map((share) => Number(share.toFixed(4))) as unknown as ShownBox["box"];
}
