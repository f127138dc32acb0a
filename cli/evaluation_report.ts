/** What an evaluation says: for people, and for programs. */
import type { Dataset } from "../core/data/dataset.ts";
import { calibrate } from "../core/metrics/calibration.ts";
import { confusionMatrix, worstConfusions } from "../core/metrics/confusion.ts";
import { type ClassScores, classScores, macroAverage, type Scores } from "../core/metrics/per_class.ts";
import { oneLine } from "../core/errors.ts";
import { alignColumns, commas, counted } from "../core/summary/format.ts";
import type { ClassificationResult, TestTimeAugmentation } from "../core/train/classification.ts";
import { percent, scoreLine } from "./figures.ts";

/** What was tested. */
export interface Tested {
  readonly weights: string;
  readonly model: string;
  readonly tta: TestTimeAugmentation | false;
}

const VIEWS: Readonly<Record<TestTimeAugmentation, string>> = {
  flip: ", each with its mirror image",
  "ten-crop": ", ten crops of each",
};

/** Classes up to which all are shown; of more, the worst. */
const MOST_CLASSES = 40;
const WORST = 20;
/** Pairs of classes that are named. */
const PAIRS = 5;

/** All figures, as JSON has them: shares are 0 … 1, `confusion` is [true class, predicted class]. */
export function evaluationData({ weights, model, tta }: Tested, test: Dataset, result: ClassificationResult) {
  const { accuracy, top5, loss, predictions } = result;
  const matrix = confusionMatrix(predictions, test.classes.length);
  const scores = classScores(matrix, test.classes);
  const n = test.classes.length;
  return {
    weights,
    model,
    dataset: test.name,
    images: predictions.count,
    tta,
    accuracy,
    top5,
    loss,
    calibration_error: calibrate(predictions).error,
    average: macroAverage(scores),
    classes: scores,
    confusion: test.classes.map((_, row) => [...matrix.subarray(row * n, (row + 1) * n)]),
  };
}

/** The same for people; the last line is the one that training ends with. */
export function evaluationText(
  { weights, model, tta }: Tested,
  test: Dataset,
  result: ClassificationResult,
): string {
  const { top5, loss, predictions } = result;
  const n = test.classes.length;
  const matrix = confusionMatrix(predictions, n);
  const scores = classScores(matrix, test.classes);
  const confused = worstConfusions(matrix, n, PAIRS).map(({ actual, predicted, count }) =>
    oneLine(`${test.classes[actual]} taken for ${test.classes[predicted]} (${count})`)
  );
  const images = `${counted(predictions.count, "image")}, ${counted(n, "class", "classes")}`;
  return [
    `${model} of ${weights} on ${test.name}: ${images}${tta ? VIEWS[tta] : ""}`,
    "",
    ...tableOf(scores),
    "",
    ...confused.length > 0 ? [`Most often confused: ${confused.join(", ")}`] : [],
    `Loss ${loss.toFixed(4)}${n > 5 ? `, top-5 accuracy ${percent(top5)}` : ""}, ` +
    `calibration error ${percent(calibrate(predictions).error)}`,
    scoreLine(result),
  ].join("\n");
}

function tableOf(all: readonly ClassScores[]): string[] {
  const known = all.filter(({ support }) => support > 0);
  const isLong = known.length > MOST_CLASSES;
  const shown = isLong ? known.toSorted((a, b) => a.f1 - b.f1).slice(0, WORST) : known;
  const cells = ({ precision, recall, f1 }: Scores) =>
    [precision, recall, f1].map((value) => value.toFixed(4));
  const images = known.reduce((sum, { support }) => sum + support, 0);
  const table = alignColumns([
    ["class", "precision", "recall", "F1", "images"],
    ...shown.map((scores) => [oneLine(scores.name), ...cells(scores), commas(scores.support)]),
    ["average", ...cells(macroAverage(known)), commas(images)],
  ], new Set([1, 2, 3, 4]));
  return isLong
    ? [...table, `(the ${WORST} classes of ${known.length} with the lowest F1; --json has all)`]
    : table;
}
