/** Runs that go on from a checkpoint that is not their newest: what is later is neither lost nor mixed up with what follows. */
import { basename, dirname, join } from "node:path";
import { readHeader } from "../core/train/checkpoint.ts";
import type { Progress } from "../core/train/progress.ts";
import { writeAtomically } from "./atomic_write.ts";
import { makeNewFolder, readBytes, statIfThere } from "./files.ts";
import { BEST, LAST, LOG, namesIn, numberedName, RANKED, readMetadata } from "./run_folder.ts";

/**
 * Moves what a run's folder has of later steps than `progress` into a folder within it, which is a run to go on with like
 * any other; undefined where there is nothing later. `checkpoint` is where the run goes on: behind its newest one lies
 * nothing but what it was killed while writing.
 */
export async function setAside(checkpoint: string, progress: Progress): Promise<string | undefined> {
  const folder = dirname(checkpoint);
  if (basename(checkpoint) === LAST) return undefined;
  const names = await namesIn(folder);
  const later: string[] = [];
  for (const name of names) if (isKept(name) && await isLater(join(folder, name), progress)) later.push(name);
  if (later.length === 0) return undefined;
  const aside = await makeNewFolder(join(folder, `after-epoch-${progress.epoch}`));
  // The best weights may be of before: then both runs have them.
  const isShared = (name: string) =>
    /\.(csv|json|svg|png)$/.test(name) || isBest(name) && !later.includes(name);
  for (const name of names) if (isShared(name)) await copy(name, folder, aside);
  // The newest at the end: while it is there, whoever was interrupted does the rest.
  later.sort((a, b) => Number(a === LAST) - Number(b === LAST));
  for (const name of later) await Deno.rename(join(folder, name), join(aside, name));
  return aside;
}

/** What a run that goes on in another folder takes along: its log and its best weights, as far as they are not later. */
export async function copyRun(from: string, to: string, progress: Progress): Promise<void> {
  for (const name of await namesIn(from)) {
    if (name === LOG || (isBest(name) && !await isLater(join(from, name), progress))) {
      await copy(name, from, to);
    }
  }
}

/**
 * The progress with which the best weights of a folder were saved; undefined where there are none. Weights that are among
 * the best are taken for them where they are of epoch `best_epoch`.
 */
export async function findBest(folder: string, best_epoch: number): Promise<Progress | undefined> {
  const best = join(folder, BEST);
  if (!await statIfThere(best)) {
    const ranked = (await namesIn(folder)).find((name) => Number(RANKED.exec(name)?.[2]) === best_epoch);
    if (ranked !== undefined) await writeAtomically(best, await readBytes(join(folder, ranked)));
  }
  return await progressOf(best);
}

function isBest(name: string): boolean {
  return name === BEST || RANKED.test(name);
}

function isKept(name: string): boolean {
  return name === LAST || isBest(name) || name === numberedName(Number(/\d+/.exec(name)?.[0]));
}

/** Damaged files are kept as if they were. */
async function isLater(path: string, { batches }: Progress): Promise<boolean> {
  const own = await progressOf(path);
  return own === undefined ? (await statIfThere(path))?.isFile === true : own.batches > batches;
}

/** How far a run was when a file was saved; undefined where there is none, or it is damaged. */
export async function progressOf(path: string): Promise<Progress | undefined> {
  try {
    return readHeader(await readMetadata(path) ?? {}, path)?.progress;
  } catch {
    return undefined;
  }
}

async function copy(name: string, from: string, to: string): Promise<void> {
  await writeAtomically(join(to, name), await readBytes(join(from, name)));
}
