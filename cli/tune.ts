/** `--autotune`: measured once, and remembered beside the runs for this machine and mode. */
import { join } from "node:path";
import { autotune, type Methods } from "../core/backend/wasm/autotune.ts";
import type { WasmBackend } from "../core/backend/wasm/backend.ts";
import { METHODS } from "../core/backend/wasm/lower/method.ts";
import type { Graph } from "../core/graph/graph.ts";
import { oneLine, UserError } from "../core/errors.ts";
import { writeAtomically } from "../host/atomic_write.ts";
import { makeFolder, readText, statIfThere } from "../host/files.ts";
import { createProgress } from "./progress.ts";

/** In the folder that has the runs. */
const FILE = "autotune.json";

/** What is remembered: methods by convolution, by what ran. */
type Memory = Record<string, Record<string, string>>;

/** Fills `methods` for the convolutions of the graphs: from the file in `folder`, or else by measurement. */
export async function tune(
  backend: WasmBackend,
  graphs: Readonly<Record<string, Graph>>,
  methods: Methods,
  folder: string,
): Promise<void> {
  const path = join(folder, FILE);
  const memory = await readMemory(path);
  for (const [name, method] of Object.entries(memory[backend.description] ?? {})) {
    const known = METHODS.find((one) => one === method);
    if (!known) throw new UserError(`${path}: there is no method ${method} (for ${name}); delete this file`);
    methods.set(name, known);
  }
  const before = methods.size;
  const progress = createProgress();
  await autotune(backend, graphs, methods, (done, of) => {
    if (of > 0) progress.show(done / of, `autotune: ${done} of ${of} convolutions`);
  });
  progress.stop();
  const measured = methods.size - before;
  console.log(
    `Autotune: ${measured} convolutions measured, ${before} remembered${measured > 0 ? ` in ${path}` : ""}`,
  );
  if (measured === 0) return;
  const text = JSON.stringify({ ...memory, [backend.description]: Object.fromEntries(methods) }, null, 2);
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
