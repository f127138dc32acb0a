/** `--autotune`: measured once, and remembered beside the runs for this device and what runs on it. */
import { join } from "node:path";
import { autotune } from "../core/backend/autotune.ts";
import type { Backend } from "../core/backend/backend.ts";
import type { Graph } from "../core/graph/graph.ts";
import { oneLine, UserError } from "../core/errors.ts";
import { writeAtomically } from "../host/atomic_write.ts";
import { makeFolder, readText, statIfThere } from "../host/files.ts";
import { createProgress } from "./progress.ts";

/** In the folder that has the runs. */
const FILE = "autotune.json";

/** What is remembered: ways by what is computed, by the key of what ran (`Tuning`). */
type Memory = Record<string, Record<string, string>>;

/** Fills `choices` for the graphs: from the file in `folder`, or else by measurement. */
export async function tune(
  backend: Backend,
  graphs: Readonly<Record<string, Graph>>,
  choices: Map<string, string>,
  folder: string,
): Promise<void> {
  const path = join(folder, FILE), { tuning } = backend;
  const memory = await readMemory(path);
  for (const [name, way] of Object.entries(memory[tuning.key] ?? {})) {
    if (!tuning.knows(way)) {
      throw new UserError(`${path}: there is no method ${way} (for ${name}); delete this file`);
    }
    choices.set(name, way);
  }
  const before = choices.size;
  const progress = createProgress();
  const what = backend.name === "wasm" ? "convolutions" : "products";
  await autotune(backend, graphs, choices, (done, of) => {
    if (of > 0) progress.show(done / of, `autotune: ${done} of ${of} ${what}`);
  });
  progress.stop();
  const measured = choices.size - before;
  console.log(
    `Autotune: ${measured} ${what} measured, ${before} remembered${measured > 0 ? ` in ${path}` : ""}`,
  );
  if (measured === 0) return;
  const text = JSON.stringify({ ...memory, [tuning.key]: Object.fromEntries(choices) }, null, 2);
  await makeFolder(folder);
  await writeAtomically(path, new TextEncoder().encode(text + "\n"));
}

/** Reads the file; nothing is remembered where there is none. */
export async function readMemory(path: string): Promise<Memory> {
  if (!await statIfThere(path)) return {};
  try {
    const memory: unknown = JSON.parse(await readText(path));
    if (isRecord(memory) && Object.values(memory).every(isRecord)) return memory as Memory;
    throw new UserError(`${path}: not what --autotune writes; delete this file`);
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    throw new UserError(`${path}: not JSON (${oneLine(error.message)}); delete this file`);
  }
}

function isRecord(value: unknown): value is Record<string, never> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
