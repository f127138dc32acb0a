/**
 * A run's folder:
 *
 *     config.json          every setting, as resolved, and what the images are
 *     log.csv              a line an epoch
 *     curves.svg           the same as a picture
 *     confusion.svg, classes.svg, classes.csv, mistakes.png   of the best epoch, see result_files.ts
 *     damaged.txt          images that could not be decoded, where there are some, see images/damaged.ts
 *     events.out.tfevents.*                                   for TensorBoard
 *     last.safetensors     the newest checkpoint: weights, optimiser, progress
 *     best.safetensors     the weights of the epoch with the best test accuracy, or mAP
 *     best-0.9718-epoch-5.safetensors   the same of the K best, where so many are to be kept
 *     epoch-10.safetensors              checkpoints of every Nth epoch, where they are to be kept
 *     .lock                while the run goes on, see run_lock.ts
 *     after-epoch-4/       what a run had that has gone back to an earlier checkpoint, see going_back.ts
 */
import { dirname, join, resolve } from "node:path";
import { UserError } from "../core/errors.ts";
import { formatLog, type LogRow, parseLog } from "../core/metrics/log.ts";
import { type Safetensors, safetensorsParts } from "../core/format/safetensors.ts";
import { removeLeftovers, writeAtomically } from "./atomic_write.ts";
import { checkRoom } from "./disk.ts";
import { DAMAGED } from "./images/damaged.ts";
import { readText, reason, statIfThere } from "./files.ts";
import { isGoingOn } from "./run_lock.ts";

export const CONFIG = "config.json";
export const LOG = "log.csv";
export const CURVES = "curves.svg";
export const LAST = "last.safetensors";
export const BEST = "best.safetensors";

const encoder = new TextEncoder();

/** Whether a folder has a run to go on with. */
export async function hasCheckpoint(folder: string): Promise<boolean> {
  return await statIfThere(join(folder, LAST)) !== undefined;
}

/** Throws where there is a run already, since nothing of another run is ever written over. */
export async function refuseOldRun(folder: string): Promise<void> {
  if (await hasCheckpoint(folder)) {
    throw new UserError(
      `--output ${folder}: there is a run already; resume it with --resume ${folder}, or name another`,
    );
  }
  if (await statIfThere(join(folder, BEST))) {
    throw new UserError(
      `--output ${folder}: there is ${BEST} of a run, without ${LAST} to go on from; move it away, or name another folder`,
    );
  }
}

const PROBE = "probe";

/**
 * Throws where nothing can be written; `flag` is what names the folder. Leaves everything as it was, and makes no folder, which
 * others may look at.
 */
export async function checkWritable(folder: string, flag = "--output"): Promise<void> {
  let there = resolve(folder);
  while (!await isThere(there)) there = dirname(there);
  const probe = join(there, `.${PROBE}.${crypto.randomUUID().slice(0, 8)}.tmp`);
  try {
    await Deno.writeFile(probe, new Uint8Array(1));
    await Deno.remove(probe);
  } catch (error) {
    throw new UserError(`${flag} ${folder}: cannot write there (${reason(error)}); choose another folder`);
  }
}

function isThere(path: string): Promise<boolean> {
  return Deno.stat(path).then(() => true, () => false);
}

/** Tidies up after a run that was killed while it wrote here. */
export async function tidy(folder: string): Promise<void> {
  const named = [PROBE, DAMAGED];
  await removeLeftovers(folder, (name) => {
    return named.includes(name) || /\.(safetensors|json|csv|svg|png)$/.test(name);
  });
}

/** Throws where a run's disk has no room for its checkpoint, of `checkpointBytes`, and for the one that replaces it. */
export async function checkRoomForRun(folder: string, checkpointBytes: number): Promise<void> {
  const present = (await statIfThere(join(folder, LAST)))?.size ?? 0;
  await checkRoom(
    folder,
    Math.max(2 * checkpointBytes - present, 0),
    "a checkpoint while it replaces another",
  );
}

export async function saveConfig(folder: string, config: unknown): Promise<void> {
  await writeAtomically(join(folder, CONFIG), encoder.encode(JSON.stringify(config, null, 2) + "\n"));
}

/** Rewrites the whole log, which is short: a crash can't leave half a line. */
export async function saveLog(folder: string, rows: readonly LogRow[]): Promise<void> {
  await writeAtomically(join(folder, LOG), encoder.encode(formatLog(rows)));
}

/** The epochs that were logged; none where there is no log. */
export async function readLog(folder: string): Promise<LogRow[]> {
  const file = join(folder, LOG);
  return await statIfThere(file) ? parseLog(await readText(file), file) : [];
}

export async function saveCheckpoint(folder: string, name: string, checkpoint: Safetensors): Promise<string> {
  const path = join(folder, name);
  await writeAtomically(path, safetensorsParts(checkpoint.tensors, checkpoint.metadata));
  return path;
}

/** The name of a checkpoint that is kept for good. */
export function numberedName(epoch: number): string {
  return `epoch-${epoch}.safetensors`;
}

/** Names of the K best's weights: score and epoch. */
export const RANKED = /^best-(\d\.\d{4})-epoch-(\d+)\.safetensors$/;

/**
 * Saves the weights of an epoch if it is among the `count` best, and removes what is no longer. `scores` has those of the
 * epochs, this one among them: four digits may be the same of several.
 */
export async function saveRanked(
  folder: string,
  count: number,
  epoch: number,
  scores: ReadonlyMap<number, number>,
  weights: () => Promise<Safetensors>,
): Promise<void> {
  const own = `best-${scores.get(epoch)!.toFixed(4)}-epoch-${epoch}.safetensors`;
  const others = (await namesIn(folder)).filter((name) => RANKED.test(name) && name !== own);
  const rank = (name: string) => {
    const [, score, epoch] = RANKED.exec(name)!;
    return [scores.get(Number(epoch)) ?? Number(score), -Number(epoch)] as const;
  };
  const ranked = [...others, own].sort((a, b) => rank(b)[0] - rank(a)[0] || rank(b)[1] - rank(a)[1]);
  if (ranked.indexOf(own) < count) await saveCheckpoint(folder, own, await weights());
  for (const name of ranked.slice(count)) if (name !== own) await Deno.remove(join(folder, name));
}

export async function namesIn(folder: string): Promise<string[]> {
  try {
    return (await Array.fromAsync(Deno.readDir(folder))).map(({ name }) => name);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return [];
    throw new UserError(`${folder}: cannot be read (${reason(error)})`);
  }
}

/** A run on disk, as far as its checkpoint's first bytes tell. */
export interface KnownRun {
  readonly folder: string;
  readonly metadata: Readonly<Record<string, string>>;
}

/** The runs in the folders of `parent` that have a checkpoint and are not going on, the one that was last saved first. */
export async function findRuns(parent: string): Promise<KnownRun[]> {
  const found: (KnownRun & { saved: number })[] = [];
  for (const name of await namesIn(parent)) {
    const folder = join(parent, name);
    const last = await statIfThere(join(folder, LAST)).catch(() => undefined);
    const metadata = last && await readMetadata(join(folder, LAST));
    if (metadata && !await isGoingOn(folder)) {
      found.push({ folder, metadata, saved: last.mtime?.getTime() ?? 0 });
    }
  }
  return found.sort((a, b) => b.saved - a.saved);
}

/** The metadata of a safetensors file without its tensors; undefined where it can't be had. */
export async function readMetadata(path: string): Promise<Record<string, string> | undefined> {
  try {
    using file = await Deno.open(path);
    const length = new DataView(new ArrayBuffer(8));
    if (await file.read(new Uint8Array(length.buffer)) !== 8) return undefined;
    const bytes = Number(length.getBigUint64(0, true));
    if (bytes > (await file.stat()).size) return undefined;
    const header = new Uint8Array(bytes);
    for (let done = 0; done < bytes;) {
      const count = await file.read(header.subarray(done));
      if (count === null) return undefined;
      done += count;
    }
    return JSON.parse(new TextDecoder().decode(header))["__metadata__"];
  } catch {
    return undefined;
  }
}

/** The checkpoint that `--resume` means: the file itself, or the newest one of a run's folder. */
export async function findCheckpoint(path: string): Promise<string> {
  const info = await statIfThere(path);
  if (!info) throw new UserError(`--resume ${path}: there is no such file or folder`);
  if (!info.isDirectory) return path;
  const last = join(path, LAST);
  if (await statIfThere(last)) return last;
  const begun = await statIfThere(join(path, CONFIG))
    ? "; if its run was stopped before its first checkpoint, start it anew"
    : "";
  throw new UserError(`--resume ${path}: there is no ${LAST} in this folder${begun}`);
}

/** The file of weights that a path means: the file itself, or the best ones of a run's folder, or else its newest. */
export async function findWeights(path: string): Promise<string> {
  const info = await statIfThere(path);
  if (!info) throw new UserError(`${path}: there is no such file or folder`);
  if (!info.isDirectory) return path;
  for (const name of [BEST, LAST]) if (await statIfThere(join(path, name))) return join(path, name);
  throw new UserError(`${path}: no run's folder: there is neither ${BEST} nor ${LAST} in it`);
}
