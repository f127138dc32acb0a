/** Finds CIFAR-10 in a folder, or downloads it there. */
import { basename, join } from "node:path";
import {
  assembleCifar10,
  checkBinarySize,
  type CifarBatch,
  parseBinaryBatch,
  parsePythonBatch,
} from "../core/data/cifar10.ts";
import type { DatasetSplit } from "../core/data/dataset.ts";
import type { MemoryDataset } from "../core/data/memory.ts";
import { UserError } from "../core/errors.ts";
import { readTarGz } from "./archive.ts";
import { download, type Progress } from "./download.ts";
import { readBytes, reason, statIfThere } from "./files.ts";
import { md5OfFile } from "./md5.ts";

const BINARY_ARCHIVE = "cifar-10-binary.tar.gz";
const PYTHON_ARCHIVE = "cifar-10-python.tar.gz";
/** https://www.cs.toronto.edu/~kriz/cifar.html */
const OFFICIAL: Readonly<Record<string, { readonly bytes: number; readonly md5: string }>> = {
  [BINARY_ARCHIVE]: { bytes: 170_052_171, md5: "c32a1d4ab5d03f1284b67883e8d87530" },
  [PYTHON_ARCHIVE]: { bytes: 170_498_071, md5: "c58f30108f718f92721af3b95e74349a" },
};
const FOLDERS = ["cifar-10-batches-bin", "cifar-10-batches-py"];
const TRAIN = [1, 2, 3, 4, 5].map((i) => `data_batch_${i}`);
const TEST = "test_batch";
/** Twice what the official ones have. */
const LARGEST_PICKLE = 64 * 2 ** 20;

export interface Cifar10Options {
  readonly progress?: Progress | undefined;
  /** Where the archive is downloaded from, and the md5 that it must have. */
  readonly source?: { readonly url: string; readonly md5: string };
}

const officialSource = {
  url: `https://www.cs.toronto.edu/~kriz/${BINARY_ARCHIVE}`,
  md5: OFFICIAL[BINARY_ARCHIVE]!.md5,
};

/**
 * `data` is a folder with the batches of either kind, or with their usual folder or an official archive in it, or an
 * archive itself. A folder without any of them is where the archive is downloaded to.
 */
export async function loadCifar10(
  data: string,
  { progress, source = officialSource }: Cifar10Options = {},
): Promise<DatasetSplit<MemoryDataset>> {
  const found = await findCifar10(data);
  if (found) return "archive" in found ? loadArchive(found.archive) : loadFolder(found.folder, found.files);
  const target = join(data, BINARY_ARCHIVE);
  await download(source.url, target, source.md5, { progress });
  return loadArchive(target);
}

/** Where it is; undefined for a folder that has none of it. Throws `UserError` where it cannot be. */
export async function findCifar10(
  data: string,
): Promise<
  { readonly archive: string } | { readonly folder: string; readonly files: readonly string[] } | undefined
> {
  const info = await statIfThere(data);
  if (isArchiveName(data) && !info?.isDirectory) {
    if (!info) throw new UserError(`${data}: there is no such file; check --data`);
    return { archive: data };
  }
  if (info && !info.isDirectory) {
    throw new UserError(`${data}: neither a folder nor a .tar.gz of CIFAR-10; check --data`);
  }
  for (const folder of [data, ...FOLDERS.map((name) => join(data, name))]) {
    const files = await batchFiles(folder);
    if (files.length > 0) return { folder, files };
  }
  for (const name of Object.keys(OFFICIAL)) {
    const archive = join(data, name);
    if (await statIfThere(archive)) return { archive };
  }
  return undefined;
}

function isArchiveName(path: string): boolean {
  return /\.(tar\.gz|tgz)$/.test(path);
}

/** `data_batch_1` for `…/data_batch_1.bin` and `…/data_batch_1`; undefined for other files. */
function batchName(path: string): string | undefined {
  const name = basename(path).replace(/\.bin$/, "");
  return name === TEST || TRAIN.includes(name) ? name : undefined;
}

function isBinary(path: string): boolean {
  return path.endsWith(".bin");
}

/** The batches in a folder; of one kind, the binary one if both are there. */
async function batchFiles(folder: string): Promise<string[]> {
  if (!(await statIfThere(folder))?.isDirectory) return [];
  const files: string[] = [];
  try {
    for await (const { name } of Deno.readDir(folder)) if (batchName(name)) files.push(join(folder, name));
  } catch (error) {
    throw new UserError(`${folder}: cannot be read (${reason(error)})`);
  }
  const binary = files.filter(isBinary);
  return (binary.length > 0 ? binary : files).sort();
}

async function loadFolder(folder: string, files: readonly string[]): Promise<DatasetSplit<MemoryDataset>> {
  const batches = new Map<string, CifarBatch>();
  expectAll(new Set(files.map((file) => batchName(file)!)), folder, isBinary(files[0]!));
  for (const file of files) {
    checkSize(file, (await statIfThere(file))?.size ?? 0);
    batches.set(batchName(file)!, parseBatch(await readBytes(file), file));
  }
  return assemble(batches, []);
}

async function loadArchive(archive: string): Promise<DatasetSplit<MemoryDataset>> {
  const md5 = await md5OfFile(archive);
  const official = Object.values(OFFICIAL).some((archive) => archive.md5 === md5);
  const notes = official ? [] : [`${archive} is not an official archive of CIFAR-10 (its md5 is ${md5})`];

  const batches = new Map<string, CifarBatch>();
  const wanted = (name: string, size: number) => {
    const batch = batchName(name);
    if (batch === undefined) return false;
    if (batches.has(batch)) throw new UserError(`${archive}: has ${batch} twice; remove one of them`);
    checkSize(`${archive}: ${name}`, size);
    return true;
  };
  let binary = true;
  for await (const { name, bytes } of readTarGz(archive, wanted, OFFICIAL[basename(archive)]?.bytes)) {
    binary = isBinary(name);
    batches.set(batchName(name)!, parseBatch(bytes, `${archive}: ${name}`));
  }
  expectAll(new Set(batches.keys()), archive, binary);
  return assemble(batches, notes);
}

function checkSize(file: string, size: number): void {
  if (isBinary(file)) return checkBinarySize(size, file);
  if (size <= LARGEST_PICKLE) return;
  throw new UserError(`${file}: ${size} bytes, expected about 31 million; not a batch of CIFAR-10`);
}

function parseBatch(bytes: Uint8Array, file: string): CifarBatch {
  return isBinary(file) ? parseBinaryBatch(bytes, file) : parsePythonBatch(bytes, file);
}

/** All six batches must be there; only the first and the test batch make a subset, which cannot be an accident. */
function expectAll(found: ReadonlySet<string>, place: string, binary: boolean): void {
  const isSubset = found.has(TRAIN[0]!) && TRAIN.slice(1).every((name) => !found.has(name));
  const missing = [...(isSubset ? [] : TRAIN), TEST].filter((name) => !found.has(name));
  if (missing.length === 0) return;
  const names = missing.map((name) => binary ? `${name}.bin` : name).join(", ");
  throw new UserError(
    `${place}: ${names} ${missing.length === 1 ? "is" : "are"} missing; get CIFAR-10 again or check --data`,
  );
}

function assemble(
  batches: ReadonlyMap<string, CifarBatch>,
  notes: readonly string[],
): DatasetSplit<MemoryDataset> {
  const train = TRAIN.flatMap((name) => batches.get(name) ?? []);
  return assembleCifar10(train, batches.get(TEST)!, notes);
}
