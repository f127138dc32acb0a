import { dirname, resolve } from "node:path";
import { UserError } from "../core/errors.ts";

/**
 * The system's own words for what went wrong, without Deno's codes, calls and paths around them. A permission that Deno
 * was not given is thrown on: it is no fault of the file's, and every command has the same advice.
 */
export function reason(error: unknown): string {
  if (error instanceof Deno.errors.NotCapable) {
    // Places such as /proc and /dev, which no list of paths opens.
    if (error.message.startsWith("Requires all access")) return "the system keeps it to itself";
    throw error;
  }
  const inner = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  const message = inner instanceof Error ? inner.message : String(inner);
  return message.split("\n", 1)[0]!.replace(/ \(os error \d+\).*$/, "").split(": ").at(-1)!;
}

/** Undefined where there is nothing. */
export async function statIfThere(path: string): Promise<Deno.FileInfo | undefined> {
  try {
    return await Deno.stat(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw new UserError(`${path}: cannot be read (${reason(error)})`);
  }
}

/** Whether two paths lead to one file, by links or by capitals that a disk does not tell apart. */
export async function isSameFile(one: string, other: string): Promise<boolean> {
  if (resolve(one) === resolve(other)) return true;
  const [a, b] = [await statIfThere(one), await statIfThere(other)];
  // Not every system numbers its files.
  return a !== undefined && b !== undefined && a.ino !== null && a.ino === b.ino && a.dev === b.dev;
}

/**
 * Throws where a path is no file that can be read to its end: whoever opens a pipe waits for somebody to write to it. A
 * link to a file is one.
 */
export function checkIsFile(path: string): void {
  if (!Deno.statSync(path).isFile) throw new Error("not a file");
}

export async function readBytes(path: string): Promise<Uint8Array<ArrayBuffer>> {
  try {
    return await Deno.readFile(path);
  } catch (error) {
    throw new UserError(`${path}: cannot be read (${reason(error)})`);
  }
}

/** A file's first bytes, at most `bytes` of them. */
export async function readHead(path: string, bytes: number): Promise<Uint8Array> {
  try {
    using file = await Deno.open(path);
    const head = new Uint8Array(bytes);
    return head.subarray(0, await file.read(head) ?? 0);
  } catch (error) {
    throw new UserError(`${path}: cannot be read (${reason(error)})`);
  }
}

export async function readText(path: string): Promise<string> {
  return new TextDecoder().decode(await readBytes(path));
}

/** Creates a folder and those above it, if they are not there yet. */
export async function makeFolder(path: string): Promise<void> {
  try {
    await Deno.mkdir(path, { recursive: true });
  } catch (error) {
    throw new UserError(`${path}: cannot create this folder (${reason(error)}); choose another one`);
  }
}

/** Creates a folder and those above it. Returns whether it was not there: of several that try it, one is told so. */
export async function claimFolder(path: string): Promise<boolean> {
  await makeFolder(dirname(path));
  try {
    await Deno.mkdir(path);
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.AlreadyExists) return false;
    throw new UserError(`${path}: cannot create this folder (${reason(error)}); choose another one`);
  }
}

/** Makes a folder that nobody else has: this one, or the first of `path-2`, `path-3`, … that is new. Returns its path. */
export async function makeNewFolder(path: string): Promise<string> {
  let free = path;
  for (let count = 2; !await claimFolder(free); count++) free = `${path}-${count}`;
  return free;
}

/** Repeats `write`, which may take fewer bytes than it is given. */
export async function writeAll(file: Deno.FsFile, bytes: Uint8Array): Promise<void> {
  for (let done = 0; done < bytes.length;) done += await file.write(bytes.subarray(done));
}
