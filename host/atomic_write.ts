import { basename, dirname, join } from "node:path";
import { UserError } from "../core/errors.ts";
import { reason, writeAll } from "./files.ts";

/**
 * Writes a file so that at any moment, also after a crash, its path holds either the old bytes or all the new ones:
 * into a temporary file in the same folder, flushed to the disk, then renamed. `parts` are written one after another.
 */
export async function writeAtomically(
  path: string,
  parts: Uint8Array | readonly Uint8Array[],
): Promise<void> {
  const temporary = join(dirname(path), `.${basename(path)}.${crypto.randomUUID().slice(0, 8)}.tmp`);
  try {
    await writeFlushed(temporary, parts instanceof Uint8Array ? [parts] : parts);
    await Deno.rename(temporary, path);
  } catch (error) {
    await removeQuietly(temporary);
    throw new UserError(
      `${path}: cannot write this file (${reason(error)}); choose a folder that can be written to`,
    );
  }
  await syncFolder(dirname(path));
}

async function writeFlushed(path: string, parts: readonly Uint8Array[]): Promise<void> {
  using file = await Deno.open(path, { write: true, createNew: true });
  for (const part of parts) await writeAll(file, part);
  await file.sync();
}

/** Makes the rename itself durable. Not every system can open a folder; there it is left to the system. */
async function syncFolder(folder: string): Promise<void> {
  try {
    using handle = await Deno.open(folder);
    await handle.sync();
  } catch {
    // Nothing is lost: the file is complete under one of its two names.
  }
}

async function removeQuietly(path: string): Promise<void> {
  try {
    await Deno.remove(path);
  } catch {
    // It was never created, or the folder is gone.
  }
}
