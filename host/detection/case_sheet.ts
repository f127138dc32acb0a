/** Photographs with what is there and what a detector found, as a picture. */
import type { AnnotatedImage } from "../../core/data/detection/sample.ts";
import type { Colour, Marked } from "../../core/detect/overlay.ts";
import type { DetectionCase } from "../../core/metrics/detection_cases.ts";
import type { Picture } from "../../core/tensorboard/event.ts";
import { drawSmall } from "../draw_boxes.ts";
import { readBytes } from "../files.ts";
import { type CaptionedImage, captionedSheet } from "../images/captioned_sheet.ts";

const THERE: Colour = { fill: "#35d07f", ink: "#000" };
const RIGHT: Colour = { fill: "#2f7bf6", ink: "#fff" };
const WRONG: Colour = { fill: "#e8352b", ink: "#fff" };
const IGNORED: Colour = { fill: "#9aa0a6", ink: "#000" };

const INK = "#222222";
const QUIET = "#5f6368";
/** Width and height of a photograph on the sheet. */
const CELL = 340;
const COLUMNS = 4;

/** `cases` are at least one, of these images. */
export async function caseSheet(
  title: string,
  images: readonly AnnotatedImage[],
  classes: readonly string[],
  cases: readonly DetectionCase[],
): Promise<Picture> {
  const cells = await Promise.all(cases.map(async (one): Promise<CaptionedImage> => {
    const image = images[one.image]!;
    return {
      image: await drawSmall(await readBytes(image.path), marksOf(one, image, classes), CELL),
      lines: [{ text: image.name, colour: QUIET }, { text: summary(one, image), colour: INK }],
    };
  }));
  const legend = "green: there, blue: found, red: wrong";
  return await captionedSheet(`${title} (${legend})`, cells, { cell: CELL, most: COLUMNS });
}

/** Of more objects and detections, those that are right have no text: it would cover them. */
const CROWD = 10;

/** What is there lies below what was found of it. */
function marksOf(
  { right, wrong, ignored, missed }: DetectionCase,
  { objects }: AnnotatedImage,
  classes: readonly string[],
): Marked[] {
  const name = (label: number) => classes[label] ?? `class ${label}`;
  const crowded = right.length + wrong.length + missed.length > CROWD;
  const there = objects.map(({ box, label, difficult }, index): Marked => ({
    box,
    label,
    colour: difficult ? IGNORED : THERE,
    text: missed.includes(index) ? `${name(label)} missed` : "",
  }));
  const found = (colour: Colour, detections: DetectionCase["right"]) =>
    detections.toReversed().map(({ box, label, score }): Marked => ({
      box,
      label,
      colour,
      text: crowded && colour !== WRONG ? "" : `${name(label)} ${score.toFixed(2)}`,
    }));
  return [...there, ...found(IGNORED, ignored), ...found(RIGHT, right), ...found(WRONG, wrong)];
}

function summary({ right, wrong, missed }: DetectionCase, { objects }: AnnotatedImage): string {
  const difficult = objects.filter(({ difficult }) => difficult).length;
  return [
    `${right.length} of ${right.length + missed.length} found`,
    ...wrong.length > 0 ? [`${wrong.length} wrong`] : [],
    ...difficult > 0 ? [`${difficult} difficult`] : [],
  ].join(", ");
}
