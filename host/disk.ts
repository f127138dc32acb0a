/** How much room there is on a disk. */
import { UserError } from "../core/errors.ts";
import { megabytes } from "../core/megabytes.ts";

/** Bytes that can still be written on a folder's disk; undefined where that cannot be told, or would have to be permitted. */
export async function freeBytes(folder: string): Promise<number | undefined> {
  const { state } = await Deno.permissions.query({ name: "sys", kind: "statfs" });
  if (state !== "granted") return undefined;
  try {
    const { statfs } = await import("node:fs/promises");
    const { bavail, bsize } = await statfs(folder);
    return bavail * bsize;
  } catch {
    return undefined; // Not every system tells.
  }
}

/** Throws where a folder's disk has less room than `bytes`, which are said to be for `what`. */
export async function checkRoom(folder: string, bytes: number, what: string): Promise<void> {
  const free = await freeBytes(folder);
  if (free === undefined || free >= bytes) return;
  throw new UserError(
    `--output ${folder}: its disk has ${megabytes(free)} left, and ${what} takes ${
      megabytes(bytes)
    }; make room, ` +
      "or choose another folder",
  );
}
