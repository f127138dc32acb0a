/**
 * What `detect` leaves in a folder:
 *
 *     photo.jpg              the photograph with its boxes
 *     labels/photo.txt       the boxes as YOLO's label files have them, with confidences
 *     classes.txt            the names behind the labels
 *     crops/dog/photo-1.jpg  what is in each box, in a folder a class
 */
import { dirname, join } from "node:path";
import { yoloLine } from "../../core/data/detection/yolo_labels.ts";
import type { Size } from "../../core/data/detection/sample.ts";
import type { Detection } from "../../core/detect/detection.ts";
import { UserError } from "../../core/errors.ts";
import { writeAtomically } from "../atomic_write.ts";
import { cutOut, drawBoxes, marksOf } from "../draw_boxes.ts";
import { claimFolder, makeFolder, makeNewFolder, readBytes, reason, statIfThere } from "../files.ts";
import { freeNames } from "../free_names.ts";
import { checkWritable } from "../run_folder.ts";

/** What is written of each image. */
export interface Wanted {
  readonly pictures: boolean;
  readonly labels: boolean;
  readonly crops: boolean;
}

/** Where it is. */
export interface Saved {
  readonly picture?: string;
  readonly labels?: string;
  /** Of each detection. */
  readonly crops?: readonly string[];
}

export interface DetectionFolder {
  readonly path: string;
  /** `size` is the image's, upright. */
  save(file: string, size: Size, detections: readonly Detection[]): Promise<Saved>;
}

/**
 * The folder that is named, which must be new or empty; else the first of `usual`, `usual-2`, … that is new. Throws at once where
 * it cannot be; what is returned makes it, for this command alone.
 */
export async function freeFolder(named: string | undefined, usual: string): Promise<() => Promise<string>> {
  if (named === undefined) {
    await checkWritable(dirname(usual));
    return () => makeNewFolder(usual);
  }
  const taken = new UserError(
    `--output ${named}: is not empty, and nothing there is written over; name another`,
  );
  const isThere = await statIfThere(named) !== undefined;
  if (!await isFree(named)) throw taken;
  await checkWritable(named);
  return async () => {
    // Who began at the same time may have been faster.
    if (!await claimFolder(named) && !(isThere && await isFree(named))) throw taken;
    return named;
  };
}

async function isFree(folder: string): Promise<boolean> {
  const info = await statIfThere(folder);
  if (!info) return true;
  if (!info.isDirectory) return false;
  try {
    for await (const _ of Deno.readDir(folder)) return false;
    return true;
  } catch (error) {
    throw new UserError(`${folder}: cannot be read (${reason(error)})`);
  }
}

/** What is written into a folder that is there. `names` are those of the classes, as far as they are known. */
export async function createDetectionFolder(
  path: string,
  names: readonly string[] | undefined,
  wanted: Wanted,
): Promise<DetectionFolder> {
  if (wanted.labels && names) await writeText(join(path, "classes.txt"), names);
  // labels/classes.txt would be taken for a list of classes.
  const stemFor = freeNames(["classes"]);

  return {
    path,
    async save(file, size, detections) {
      const stem = stemFor(file);
      const isJpeg = /\.jpe?g$/i.test(file);
      const [format, ending] = isJpeg ? ["jpeg", ".jpg"] as const : ["png", ".png"] as const;
      const bytes = wanted.pictures || wanted.crops ? await readBytes(file) : new Uint8Array();
      const saved: { -readonly [Name in keyof Saved]: Saved[Name] } = {};
      if (wanted.pictures) {
        saved.picture = join(path, stem + ending);
        await writeAtomically(
          saved.picture,
          await drawBoxes(bytes, marksOf(detections, names ?? []), format),
        );
      }
      if (wanted.labels) {
        saved.labels = join(path, "labels", `${stem}.txt`);
        await writeText(
          saved.labels,
          detections.map(({ label, box, score }) => yoloLine(label, box, size, score)),
        );
      }
      if (wanted.crops) {
        saved.crops = detections.map(({ label }, i) =>
          join(path, "crops", folderName(names?.[label], label), `${stem}-${i + 1}${ending}`)
        );
        for (const [i, { box }] of detections.entries()) {
          await makeFolder(dirname(saved.crops[i]!));
          await writeAtomically(saved.crops[i]!, await cutOut(bytes, box, format));
        }
      }
      return saved;
    },
  };
}

/** A class's name as that of a folder, on any system. */
function folderName(name: string | undefined, label: number): string {
  const safe = (name ?? "").replaceAll(/[\p{Cc}\\/:*?"<>|]/gu, "_").replace(/^\.+/, "_").trim();
  return safe === "" ? `class ${label}` : safe;
}

async function writeText(path: string, lines: readonly string[]): Promise<void> {
  await makeFolder(dirname(path));
  await writeAtomically(path, new TextEncoder().encode(lines.map((line) => `${line}\n`).join("")));
}
