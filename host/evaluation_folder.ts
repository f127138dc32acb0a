/** The folder of an evaluation: what a run's folder shows of its test, and all figures as JSON. */
import { join } from "node:path";
import type { Dataset } from "../core/data/dataset.ts";
import { UserError } from "../core/errors.ts";
import type { ClassificationResult } from "../core/train/classification.ts";
import { writeAtomically } from "./atomic_write.ts";
import type { JudgedImages } from "./detection/result_files.ts";
import { makeFolder, statIfThere } from "./files.ts";
import { writeResults } from "./result_files.ts";
import { checkWritable, CONFIG } from "./run_folder.ts";

const FIGURES = "evaluation.json";

/** Throws where nothing can be written, and where it would replace a run's own pictures. */
export async function checkNewResults(folder: string): Promise<void> {
  await checkWritable(folder);
  if (await statIfThere(join(folder, CONFIG))) {
    throw new UserError(`--output ${folder}: is a run's folder, with pictures of its own; name another one`);
  }
}

/** Of a classifier. Returns the names of the files. */
export async function saveResults(
  folder: string,
  title: string,
  test: Dataset,
  result: ClassificationResult,
  figures: unknown,
): Promise<string[]> {
  await makeFolder(folder);
  return [...await writeResults(folder, title, test, result), await saveFigures(folder, figures)];
}

/** Of a detector. Returns the names of the files. */
export async function saveDetectionResults(
  folder: string,
  title: string,
  judged: JudgedImages,
  figures: unknown,
): Promise<string[]> {
  const { writeDetectionResults } = await import("./detection/result_files.ts");
  await makeFolder(folder);
  return [...await writeDetectionResults(folder, title, judged), await saveFigures(folder, figures)];
}

async function saveFigures(folder: string, figures: unknown): Promise<string> {
  await writeAtomically(
    join(folder, FIGURES),
    new TextEncoder().encode(JSON.stringify(figures, null, 2) + "\n"),
  );
  return FIGURES;
}
