/** What a network answered to test images, as files in a run's folder, and as one picture for TensorBoard. */
import type { Dataset, ImageSet } from "../core/data/dataset.ts";
import type { DetectionDataset } from "../core/data/detection/dataset.ts";
import { SHOWN } from "../core/detect/detect.ts";
import { detectionCases, someCases } from "../core/metrics/detection_cases.ts";
import { someAnswers } from "../core/metrics/mistakes.ts";
import type { Picture } from "../core/tensorboard/event.ts";
import type { ClassificationResult } from "../core/train/classification.ts";
import type { DetectionResult } from "../core/train/detection.ts";
import type { TestResult } from "../core/train/evaluation.ts";

/** Test images that TensorBoard gets. */
const IMAGES = 12;

/** Writes the files; `title` says what was tested. Returns the picture. */
export async function drawAnswers(
  folder: string,
  title: string,
  test: ImageSet,
  result: TestResult,
): Promise<Picture> {
  return result.kind === "classes"
    ? await drawClasses(folder, title, test as Dataset, result)
    : await drawBoxes(folder, title, test as DetectionDataset, result);
}

async function drawClasses(
  folder: string,
  title: string,
  test: Dataset,
  result: ClassificationResult,
): Promise<Picture> {
  const [{ writeResults }, { answerSheet }] = await Promise.all([
    import("../host/result_files.ts"),
    import("../host/answer_sheet.ts"),
  ]);
  await writeResults(folder, title, test, result);
  return await answerSheet(`Some test images of ${title}`, test, someAnswers(result.predictions, IMAGES));
}

async function drawBoxes(
  folder: string,
  title: string,
  { images: all, classes }: DetectionDataset,
  { images: answered, evaluation }: DetectionResult,
): Promise<Picture> {
  const [{ writeDetectionResults }, { caseSheet }] = await Promise.all([
    import("../host/detection/result_files.ts"),
    import("../host/detection/case_sheet.ts"),
  ]);
  // Those that could not be decoded are left out.
  const images = answered.map(({ sample }) => all[sample]!);
  await writeDetectionResults(folder, title, { images, classes, evaluation });
  const { iou_threshold } = evaluation.report;
  const cases = detectionCases(answered, { score_threshold: SHOWN.conf_threshold, iou_threshold });
  const some = someCases(cases, IMAGES);
  return await caseSheet(`Some test images of ${title}`, images, classes, some);
}
