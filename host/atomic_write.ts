import { basename, dirname, join } from "node:path";
import { UserError } from "../core/errors.ts";
import { megabytes } from "../core/megabytes.ts";
import { freeBytes } from "./disk.ts";
import { reason, writeAll } from "./files.ts";

/** The disk, or what may be written to it, is at its end. What was there before is untouched. */
export class CannotWrite extends UserError {}

/**
 * Writes a file so that at any moment, also after a crash, its path holds either the old bytes or all the new ones:
 * into a temporary file in the same folder, flushed to the disk, then renamed. `parts` are written one after another.
 */
export async function writeAtomically(
  path: string,
  parts: Uint8Array | readonly Uint8Array[],
): Promise<void> {
  const temporary = join(dirname(path), `.${basename(path)}.${crypto.randomUUID().slice(0, 8)}.tmp`);
  const all = parts instanceof Uint8Array ? [parts] : parts;
  try {
    await writeFlushed(temporary, all);
    await Deno.rename(temporary, path);
  } catch (error) {
    await removeQuietly(temporary);
    throw new CannotWrite(
      `${path}: cannot write this file (${reason(error)}); ${await advice(error, path, all)}`,
    );
  }
  await syncFolder(dirname(path));
}

const TEMPORARY = /^\.(.+)\.[0-9a-f]{8}\.tmp$/;

/** Removes what writers of files that are `ours` left in a folder when they were killed. */
export async function removeLeftovers(folder: string, ours: (name: string) => boolean): Promise<void> {
  for await (const { name } of Deno.readDir(folder)) {
    const [, target] = TEMPORARY.exec(name) ?? [];
    if (target !== undefined && ours(target)) await removeQuietly(join(folder, name));
  }
}

/** What to do about it: on a full disk, how much it would have taken. */
async function advice(error: unknown, path: string, parts: readonly Uint8Array[]): Promise<string> {
  const bytes = parts.reduce((sum, { byteLength }) => sum + byteLength, 0);
  const free = await freeBytes(dirname(path));
  const isFull = /no space left|quota|file too large/i.test(reason(error));
  if (!isFull && !(free !== undefined && free < bytes)) return "choose a folder that can be written to";
  const known = free === undefined ? "" : `, and ${megabytes(free)} are free there`;
  return `it takes ${megabytes(bytes)}${known}; make room, or choose a folder that has some`;
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
