/** The folder of an evaluation: what a run's folder shows of its test, and all figures as JSON. */
import { join } from "node:path";
import type { Dataset } from "../core/data/dataset.ts";
import { UserError } from "../core/errors.ts";
import type { TestResult } from "../core/train/evaluation.ts";
import { writeAtomically } from "./atomic_write.ts";
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

/** Returns the names of the files. */
export async function saveResults(
  folder: string,
  title: string,
  test: Dataset,
  result: TestResult,
  figures: unknown,
): Promise<string[]> {
  await makeFolder(folder);
  const written = await writeResults(folder, title, test, result);
  const json = new TextEncoder().encode(JSON.stringify(figures, null, 2) + "\n");
  await writeAtomically(join(folder, FIGURES), json);
  return [...written, FIGURES];
}
