/** Pictures of why a network answers as it does. */
import { join } from "node:path";
import type { Image } from "../core/data/transforms/image.ts";
import { resize } from "../core/data/transforms/resample.ts";
import type { Activation } from "../core/predict/grad_cam.ts";
import { overlay } from "../core/predict/overlay.ts";
import { writeAtomically } from "./atomic_write.ts";
import { makeFolder } from "./files.ts";
import { freeNames } from "./free_names.ts";
import { contactSheet } from "./images/contact_sheet.ts";
import { namesIn } from "./run_folder.ts";

export interface Explained {
  /** The image's. */
  readonly file: string;
  /** As the network saw it. */
  readonly image: Image;
  readonly activation: Activation;
  /** The likeliest first. */
  readonly predictions: readonly { readonly class: string; readonly probability: number }[];
}

/** A folder of pictures that explain. It is made with its first picture, and none that is in it is written over. */
export interface ExplanationFolder {
  /**
   * Draws the image beside itself under the colours of Grad-CAM for its likeliest class, and returns the picture's path:
   * `photo.gradcam.png`, with a number where another has that name already.
   */
  draw(explained: Explained): Promise<string>;
}

export async function openExplanationFolder(folder: string): Promise<ExplanationFolder> {
  const nameFor = freeNames(await namesIn(folder));
  return {
    async draw(explained) {
      const path = join(folder, nameFor(explained.file, ".gradcam.png"));
      const picture = await pictureOf(explained);
      await makeFolder(folder);
      await writeAtomically(path, picture);
      return path;
    },
  };
}

function pictureOf({ image, activation, predictions: [first] }: Explained): Promise<Uint8Array> {
  const said = `${(100 * first!.probability).toFixed(1)} % ${first!.class}`;
  const shown = enlarged(image);
  return contactSheet([{ label: "", images: [shown, overlay(shown, activation)] }], ["seen", said]);
}

/** Pixels that a side has at least. */
const SMALLEST = 224;

function enlarged(image: Image): Image {
  const { height, width } = image;
  const factor = Math.ceil(SMALLEST / Math.max(height, width));
  return factor > 1 ? resize(image, [factor * height, factor * width]) : image;
}
