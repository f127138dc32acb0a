/** Label files of YOLO: a text file an image, a line `class cx cy width height` an object, in shares of the image. */
import type { Box } from "../../detect/box.ts";
import { scaleBox } from "../../detect/box.ts";
import { oneLine, UserError } from "../../errors.ts";
import type { NamedBox, Size } from "./sample.ts";

/** Without a list of names there are as many classes as the highest number says; a slip must not make billions. */
const MOST_CLASSES = 9999;

export interface YoloObject {
  readonly label: number;
  /** In shares of the image. */
  readonly box: Box;
}

/** Reads a file; an empty one is an image without objects. Throws `UserError` that names the line. */
export function parseYoloLabels(text: string, file: string): YoloObject[] {
  return text.split(/\r?\n/).flatMap((line, index) => {
    if (line.trim() === "") return [];
    const where = `${file} line ${index + 1}`;
    const numbers = line.trim().split(/\s+/).map(Number);
    // A sixth is the confidence of a detector that wrote the file, see yoloLine.
    const [score = 1, ...more] = numbers.slice(5);
    const fits = numbers.length >= 5 && more.length === 0 && score >= 0 && score <= 1;
    if (!fits || !numbers.every(Number.isFinite)) {
      throw new UserError(
        oneLine(`${where}: "${line.trim()}", expected five numbers: class cx cy width height`),
      );
    }
    const [label, x, y, width, height] = numbers as [number, number, number, number, number];
    if (!Number.isInteger(label) || label < 0 || label > MOST_CLASSES) {
      throw new UserError(`${where}: class ${label}, expected a whole number of 0 to ${MOST_CLASSES}`);
    }
    return [{
      label,
      box: { x1: x - width / 2, y1: y - height / 2, x2: x + width / 2, y2: y + height / 2 },
    }];
  });
}

/** The same in pixels, with the classes' names; a class beyond the names is called by its number. */
export function namedObjects(
  objects: readonly YoloObject[],
  { width, height }: Size,
  classes: readonly string[],
): NamedBox[] {
  return objects.map(({ label, box }) => ({
    name: classes[label] ?? String(label),
    box: scaleBox(box, width, height),
    difficult: false,
    truncated: false,
  }));
}

/** The line of a label file; for `--save-txt` with the confidence at the end. */
export function yoloLine(label: number, box: Box, { width, height }: Size, score?: number): string {
  const { x1, y1, x2, y2 } = scaleBox(box, 1 / width, 1 / height);
  const numbers = [(x1 + x2) / 2, (y1 + y2) / 2, x2 - x1, y2 - y1, ...score === undefined ? [] : [score]];
  return [label, ...numbers.map((number) => Number(number.toFixed(6)))].join(" ");
}

/** A list of classes: a name a line, as in classes.txt and obj.names. */
export function parseClassList(text: string): string[] {
  return text.split(/\r?\n/).map((line) => line.trim()).filter((line) => line !== "");
}

/** Whether a CSV is a list of pairs: its first line, or the one below a line of titles, is an image and a label file. */
export function isPairs(csv: string): boolean {
  return csv.split(/\r?\n/, 2).some((line) => pairOf(line) !== undefined);
}

/** A CSV of pairs: an image and its label file a line, with a line of titles or without. */
export function parsePairs(csv: string, file: string): { image: string; label: string }[] {
  return csv.split(/\r?\n/).flatMap((line, index) => {
    const pair = pairOf(line);
    if (pair) return [pair];
    if (index === 0 || line.trim() === "") return [];
    throw new UserError(
      oneLine(`${file} line ${index + 1}: "${line.trim()}", expected an image and its label file`),
    );
  });
}

function pairOf(line: string): { image: string; label: string } | undefined {
  const [image, label, ...rest] = line.split(",").map((cell) => cell.trim().replace(/^"(.*)"$/, "$1"));
  return image && label?.endsWith(".txt") && rest.length === 0 ? { image, label } : undefined;
}
