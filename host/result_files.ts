/** What an evaluation leaves to look at, in a folder: pictures, and a table of the classes. */
import { quoted } from "../core/csv.ts";
import type { Dataset } from "../core/data/dataset.ts";
import { confusionMatrix } from "../core/metrics/confusion.ts";
import { confidentMistakes } from "../core/metrics/mistakes.ts";
import { type ClassScores, classScores } from "../core/metrics/per_class.ts";
import type { ClassificationResult } from "../core/train/classification.ts";
import { answerSheet } from "./answer_sheet.ts";
import { CLASS_TABLE, createResultWriter, MISTAKES } from "./result_writer.ts";

export const CONFUSION = "confusion.svg";
export const CLASSES = "classes.svg";

/** Mistakes that are shown. */
const SHOWN = 24;

/** Writes them all; `title` says what was tested. Returns their names. */
export async function writeResults(
  folder: string,
  title: string,
  test: Dataset,
  { predictions, accuracy }: ClassificationResult,
): Promise<string[]> {
  const [{ svgOf }, { confusionChart }, { classesChart }] = await Promise.all([
    import("../core/plot/svg.ts"),
    import("../core/plot/confusion_chart.ts"),
    import("../core/plot/classes_chart.ts"),
  ]);
  const { write, clear, written } = createResultWriter(folder);
  const matrix = confusionMatrix(predictions, test.classes.length);
  const scores = classScores(matrix, test.classes);
  const count = predictions.count.toLocaleString("en-US");
  const subtitle = `${title}: ${count} test images, ${(100 * accuracy).toFixed(2)} % right`;
  await write(CLASS_TABLE, classTable(scores));
  await write(CONFUSION, await svgOf(confusionChart(matrix, test.classes, subtitle)));
  await write(CLASSES, await svgOf(classesChart(scores)));
  const mistakes = confidentMistakes(predictions, SHOWN);
  if (mistakes.length > 0) {
    await write(MISTAKES, (await answerSheet(mistakesHeading(mistakes.length, title), test, mistakes)).png);
  } else await clear(MISTAKES);
  return written;
}

/** Over so many mistakes: fewer than are shown are all that there are. */
export function mistakesHeading(count: number, title: string): string {
  if (count === 1) return `The only mistake of ${title}`;
  return count < SHOWN
    ? `All ${count} mistakes of ${title}, the most confident first`
    : `The ${count} most confident mistakes of ${title}`;
}

function classTable(scores: readonly ClassScores[]): string {
  const rows = scores.map(({ name, precision, recall, f1, support }) =>
    [quoted(name), ...[precision, recall, f1].map((value) => value.toFixed(6)), support].join(",")
  );
  return ["class,precision,recall,f1,support", ...rows, ""].join("\n");
}
