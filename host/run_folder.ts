/**
 * A run's folder:
 *
 *     config.json          every setting, as resolved
 *     log.csv              a line an epoch
 *     last.safetensors     the newest checkpoint: weights, optimiser, progress
 *     best.safetensors     the weights of the epoch with the best test accuracy
 */
import { join } from "node:path";
import { UserError } from "../core/errors.ts";
import { type Safetensors, safetensorsParts } from "../core/format/safetensors.ts";
import { writeAtomically } from "./atomic_write.ts";
import { readBytes, reason, statIfThere } from "./files.ts";

export const CONFIG = "config.json";
export const LOG = "log.csv";
export const LAST = "last.safetensors";
export const BEST = "best.safetensors";

const encoder = new TextEncoder();

/** Throws where there is a run already, since nothing of another run is ever written over. */
export async function refuseOldRun(folder: string): Promise<void> {
  for (const file of [LAST, BEST]) {
    if (!await statIfThere(join(folder, file))) continue;
    throw new UserError(
      `--output ${folder}: there is a run already; resume it with --resume ${folder}, or name another`,
    );
  }
}

/** Throws where nothing can be written. Leaves everything as it was. */
export async function checkWritable(folder: string): Promise<void> {
  const probe = join(folder, `.${crypto.randomUUID().slice(0, 8)}.tmp`);
  try {
    const isNew = await Deno.stat(folder).then(() => false, () => true);
    await Deno.mkdir(folder, { recursive: true });
    await Deno.writeFile(probe, new Uint8Array(1));
    await Deno.remove(probe);
    if (isNew) await Deno.remove(folder);
  } catch (error) {
    throw new UserError(`--output ${folder}: cannot write there (${reason(error)}); choose another folder`);
  }
}

/** What a run that goes on in another folder takes along: its log and its best weights. */
export async function copyRun(from: string, to: string): Promise<void> {
  for (const file of [LOG, BEST]) {
    if (!await statIfThere(join(from, file))) continue;
    await writeAtomically(join(to, file), await readBytes(join(from, file)));
  }
}

export async function saveConfig(folder: string, config: unknown): Promise<void> {
  await writeAtomically(join(folder, CONFIG), encoder.encode(JSON.stringify(config, null, 2) + "\n"));
}

/** Rewrites the whole log, which is short: a crash can't leave half a line. */
export async function saveLog(folder: string, header: string, rows: readonly string[]): Promise<void> {
  await writeAtomically(join(folder, LOG), encoder.encode([header, ...rows, ""].join("\n")));
}

/** The lines of the log after its header; none where there is no log. */
export async function readLog(folder: string): Promise<string[]> {
  return (await readLines(folder)).slice(1);
}

/** The log's lines by the names of its columns. */
export async function readLogTable(folder: string): Promise<Record<string, string>[]> {
  const lines = await readLines(folder);
  const names = lines[0]?.split(",") ?? [];
  return lines.slice(1).map((line) =>
    Object.fromEntries(line.split(",").map((value, i) => [names[i] ?? "", value]))
  );
}

async function readLines(folder: string): Promise<string[]> {
  const file = join(folder, LOG);
  if (!await statIfThere(file)) return [];
  try {
    return (await Deno.readTextFile(file)).split("\n").filter((line) => line !== "");
  } catch (error) {
    throw new UserError(`${file}: cannot be read (${reason(error)})`);
  }
}

export async function saveCheckpoint(folder: string, name: string, checkpoint: Safetensors): Promise<string> {
  const path = join(folder, name);
  await writeAtomically(path, safetensorsParts(checkpoint.tensors, checkpoint.metadata));
  return path;
}

/** The checkpoint that `--resume` means: the file itself, or the newest one of a run's folder. */
export async function findCheckpoint(path: string): Promise<string> {
  const info = await statIfThere(path);
  if (!info) throw new UserError(`--resume ${path}: there is no such file or folder`);
  if (!info.isDirectory) return path;
  const last = join(path, LAST);
  if (!await statIfThere(last)) throw new UserError(`--resume ${path}: there is no ${LAST} in this folder`);
  return last;
}
