/** What is right and wrong on single images, to be looked at. */
import type { Detection } from "../detect/detection.ts";
import { candidatesOf, judge, type JudgedImage } from "./detection_matches.ts";

export interface CaseOptions {
  /** Detections of lower scores are passed over. */
  readonly score_threshold: number;
  readonly iou_threshold: number;
}

export interface DetectionCase {
  /** Which of the images. */
  readonly image: number;
  readonly right: readonly Detection[];
  readonly wrong: readonly Detection[];
  /** Those on a difficult object, which count neither way. */
  readonly ignored: readonly Detection[];
  /** Indices of the objects that should have been found and were not. */
  readonly missed: readonly number[];
}

/** Every image with what VOC's rules say of its detections and objects. */
export function detectionCases(
  images: readonly JudgedImage[],
  { score_threshold, iou_threshold }: CaseOptions,
): DetectionCase[] {
  return images.map(({ detections, objects }, image) => {
    const shown = detections.filter(({ score }) => score >= score_threshold);
    const labels = new Set(shown.map(({ label }) => label));
    const judged = [...labels].flatMap((label) =>
      judge(candidatesOf([{ detections: shown, objects }], label).candidates, iou_threshold)
    );
    const that = (isRight: boolean) =>
      judged.filter(({ right }) => right === isRight).map(({ detection }) => detection);
    const counted = new Set(judged.map(({ detection }) => detection));
    const found = new Set(judged.filter(({ right }) => right).map(({ object }) => object));
    return {
      image,
      right: that(true),
      wrong: that(false),
      ignored: shown.filter((detection) => !counted.has(detection)),
      missed: [...objects.keys()].filter((index) => !objects[index]!.difficult && !found.has(index)),
    };
  });
}

/** Cases with anything wrong, the worst first: an object that was missed weighs as much as a wrong box of full confidence. */
export function worstCases(cases: readonly DetectionCase[], most: number): DetectionCase[] {
  const weight = ({ wrong, missed }: DetectionCase) =>
    missed.length + wrong.reduce((sum, { score }) => sum + score, 0);
  return cases.filter((one) => weight(one) > 0).sort((a, b) => weight(b) - weight(a)).slice(0, most);
}

/** `count` cases, spread evenly over all. */
export function someCases(cases: readonly DetectionCase[], count: number): DetectionCase[] {
  const some = Math.min(count, cases.length);
  return Array.from({ length: some }, (_, i) => cases[Math.floor(i * cases.length / some)]!);
}
