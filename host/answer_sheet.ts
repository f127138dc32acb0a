/** Images with what a network took them for, as a picture. */
import type { Dataset } from "../core/data/dataset.ts";
import { readImages } from "../core/data/read_images.ts";
import type { Answer } from "../core/metrics/mistakes.ts";
import type { Picture } from "../core/tensorboard/event.ts";

const INK = "#222222";
const QUIET = "#5f6368";
const RIGHT = "#00664c";
const WRONG = "#b3261e";

/** `answers` are at least one. */
export async function answerSheet(
  title: string,
  dataset: Dataset,
  answers: readonly Answer[],
): Promise<Picture> {
  const { captionedSheet } = await import("./images/captioned_sheet.ts");
  const images = await readImages(dataset, answers.map(({ sample }) => sample));
  const name = (index: number) => dataset.classes[index] ?? `class ${index}`;
  return await captionedSheet(
    title,
    answers.map(({ actual, predicted, confidence, sample }, i) => {
      const right = actual === predicted;
      return {
        image: images[i]!,
        lines: [
          {
            text: `${right ? "✓" : "✗"} ${name(predicted)} (${
              (100 * confidence).toFixed(confidence < 0.9995 ? 1 : 0)
            } %)`,
            colour: right ? RIGHT : WRONG,
          },
          { text: right ? "" : `is ${name(actual)}`, colour: INK },
          { text: fileName(dataset, sample) ?? `test image ${sample + 1}`, colour: QUIET },
        ],
      };
    }),
  );
}

/** Without its folder, which is the class, and its ending: of long names as much as possible should be seen. */
function fileName(dataset: Dataset, sample: number): string | undefined {
  return dataset.nameOf?.(sample).replace(/^.*\//, "").replace(/\.\w+$/, "");
}
