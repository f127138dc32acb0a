/** Pictures of why a network answers as it does. */
import { basename, extname, join } from "node:path";
import type { Image } from "../core/data/transforms/image.ts";
import { resize } from "../core/data/transforms/resample.ts";
import type { Activation } from "../core/predict/grad_cam.ts";
import { overlay } from "../core/predict/overlay.ts";
import { writeAtomically } from "./atomic_write.ts";
import { contactSheet } from "./images/contact_sheet.ts";

export interface Explained {
  /** The image's. */
  readonly file: string;
  /** As the network saw it. */
  readonly image: Image;
  readonly activation: Activation;
  /** The likeliest first. */
  readonly predictions: readonly { readonly class: string; readonly probability: number }[];
}

/**
 * Writes the image beside itself under the colours of Grad-CAM for its likeliest class, and returns the picture's path:
 * `photo.gradcam.png`, with a number where `taken` has that already.
 */
export async function drawExplanation(
  folder: string,
  taken: Set<string>,
  { file, image, activation, predictions: [first] }: Explained,
): Promise<string> {
  const stem = basename(file, extname(file));
  let name = `${stem}.gradcam.png`;
  for (let count = 2; taken.has(name); count++) name = `${stem}-${count}.gradcam.png`;
  taken.add(name);
  const said = `${(100 * first!.probability).toFixed(1)} % ${first!.class}`;
  const shown = enlarged(image);
  const sheet = await contactSheet([{ label: "", images: [shown, overlay(shown, activation)] }], [
    "seen",
    said,
  ]);
  const path = join(folder, name);
  await writeAtomically(path, sheet);
  return path;
}

/** Pixels that a side has at least. */
const SMALLEST = 224;

function enlarged(image: Image): Image {
  const { height, width } = image;
  const factor = Math.ceil(SMALLEST / Math.max(height, width));
  return factor > 1 ? resize(image, [factor * height, factor * width]) : image;
}
