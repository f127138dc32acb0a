/** `--explain`: a picture beside what the network looked at in it. */
import { basename, extname, join } from "node:path";
import type { Image } from "../core/data/transforms/image.ts";
import { type Evidence, overlay } from "../core/predict/grad_cam.ts";
import { writeAtomically } from "../host/atomic_write.ts";
import { statIfThere } from "../host/files.ts";
import type { Prediction } from "./answers_text.ts";

const INK = "#222222";

/** Writes `NAME-explained.png`, with a number where that is taken, and returns its path. */
export async function drawExplanation(
  folder: string,
  file: string,
  image: Image,
  evidence: Evidence,
  { class: name, probability }: Prediction,
): Promise<string> {
  const { captionedSheet } = await import("../host/images/captioned_sheet.ts");
  const line = (text: string) => [{ text, colour: INK }];
  const { png } = await captionedSheet(`${name} (${(100 * probability).toFixed(1)} %)`, [
    { image, lines: line(basename(file)) },
    { image: overlay(image, evidence), lines: line("evidence: blue none, red most") },
  ], { cell: 320 });
  const path = await freePath(join(folder, basename(file, extname(file))));
  await writeAtomically(path, png);
  return path;
}

async function freePath(base: string): Promise<string> {
  for (let n = 1;; n++) {
    const path = `${base}-explained${n > 1 ? `-${n}` : ""}.png`;
    if (!await statIfThere(path)) return path;
  }
}
