/** What networks answered to test images. */
import type { JudgedImage } from "../metrics/detection_matches.ts";
import type { Predictions } from "../metrics/predictions.ts";

/** Of classifiers: what each image is taken for. */
export interface ClassAnswers {
  readonly kind: "classes";
  readonly predictions: Predictions;
}

/** Of detectors: what was found in each image. */
export interface BoxAnswers {
  readonly kind: "boxes";
  readonly images: readonly AnsweredImage[];
}

export interface AnsweredImage extends JudgedImage {
  /** Which image of the data set it is: those that could not be decoded are left out. */
  readonly sample: number;
}

export type Answers = ClassAnswers | BoxAnswers;
