/** One process a run: a lock that the system takes back when its process ends, however it ends. */
import { join } from "node:path";
import { UserError } from "../core/errors.ts";
import { statIfThere } from "./files.ts";

/** The file that is locked, and there, while a run goes on. One that was killed leaves it without the lock. */
const LOCK = ".lock";

/** Whoever looks whether a run goes on has its lock for a moment. */
const TRIES = 5;
const PAUSE_MILLISECONDS = 20;

/**
 * Keeps others from a run's folder until it is disposed of. Throws `UserError` where another has it. On disks without locks,
 * as some in networks are, nobody is kept out.
 */
export async function lockRun(folder: string): Promise<Disposable> {
  const path = join(folder, LOCK);
  for (let tries = 0; tries < TRIES; tries++) {
    if (tries > 0) await new Promise((resolve) => setTimeout(resolve, PAUSE_MILLISECONDS));
    let file: Deno.FsFile;
    try {
      file = await Deno.open(path, { create: true, read: true, write: true });
    } catch {
      return { [Symbol.dispose]() {} }; // Whether the folder can be written to is found out elsewhere.
    }
    const isLocked = await file.tryLock(true).catch(() => true);
    // Whoever had it may just have removed it.
    if (isLocked && (await statIfThere(path))?.ino === file.statSync().ino) return held(file, path);
    file.close();
  }
  throw new UserError(
    `${folder}: this run is going on in another process; end that one first, or name another folder by --output`,
  );
}

function held(file: Deno.FsFile, path: string): Disposable {
  return {
    [Symbol.dispose]() {
      try {
        Deno.removeSync(path);
      } catch {
        // The folder is gone, or this system removes no open files.
      }
      file.close();
    },
  };
}

/** Whether somebody has a run's lock. */
export async function isGoingOn(folder: string): Promise<boolean> {
  try {
    using file = await Deno.open(join(folder, LOCK));
    return !await file.tryLock(false);
  } catch {
    return false;
  }
}
