/** The answers that are wrong and sure: of these one learns what the network or the labels get wrong. */
import { answerOf, type Predictions } from "./predictions.ts";

export interface Answer {
  /** Which image of the data set. */
  readonly sample: number;
  readonly actual: number;
  readonly predicted: number;
  /** The probability of the predicted class. */
  readonly confidence: number;
}

/** At most `most` of them, the most confident first. */
export function confidentMistakes(predictions: Predictions, most: number): Answer[] {
  return Array.from({ length: predictions.count }, (_, i) => answer(predictions, i))
    .filter(({ actual, predicted }) => actual !== predicted)
    .sort((a, b) => b.confidence - a.confidence)
    .slice(0, most);
}

/** `count` answers, right or wrong, spread evenly over all. */
export function someAnswers(predictions: Predictions, count: number): Answer[] {
  const some = Math.min(count, predictions.count);
  return Array.from(
    { length: some },
    (_, i) => answer(predictions, Math.floor(i * predictions.count / some)),
  );
}

function answer(predictions: Predictions, index: number): Answer {
  const { samples, targets } = predictions;
  return { sample: samples[index]!, actual: targets[index]!, ...answerOf(predictions, index) };
}
