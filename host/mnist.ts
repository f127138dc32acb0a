/** Finds MNIST's idx files in a folder, or downloads them there. */
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import type { DatasetSplit } from "../core/data/dataset.ts";
import type { MemoryDataset } from "../core/data/memory.ts";
import { assembleMnist } from "../core/data/mnist.ts";
import { UserError } from "../core/errors.ts";
import { download, type Progress } from "./download.ts";
import { readBytes, reason, statIfThere } from "./files.ts";

const TRAIN_IMAGES = "train-images-idx3-ubyte";
const TRAIN_LABELS = "train-labels-idx1-ubyte";
const TEST_IMAGES = "t10k-images-idx3-ubyte";
const TEST_LABELS = "t10k-labels-idx1-ubyte";

/** The files' md5s as .gz, and where torchvision has them from. */
const MD5: Readonly<Record<string, string>> = {
  [TRAIN_IMAGES]: "f68b3c2dcbeaaa9fbdd348bbdeb94873",
  [TRAIN_LABELS]: "d53e105ee54ea40749a09fcbcd1e9432",
  [TEST_IMAGES]: "9fb629c4189551a2d022fa330f9573f3",
  [TEST_LABELS]: "ec29112dd5afa0611ce80d1b7f02629c",
};
const MIRROR = "https://ossci-datasets.s3.amazonaws.com/mnist/";
/** Where torchvision and others put them. */
const FOLDERS = ["MNIST/raw", "mnist", "raw"];
/** Much more than the largest has when it is unpacked. */
const LARGEST = 256 * 2 ** 20;

export interface MnistOptions {
  readonly progress?: Progress | undefined;
  /** Where the .gz files are downloaded from, with a slash at the end, and their md5s. */
  readonly source?: { readonly url: string; readonly md5: Readonly<Record<string, string>> };
}

interface Found {
  readonly file: string;
  readonly bytes: Uint8Array;
}

/** `data` is a folder with the four files, packed or not, or with their usual folder in it; or where they are put. */
export async function loadMnist(
  data: string,
  { progress, source = { url: MIRROR, md5: MD5 } }: MnistOptions = {},
): Promise<DatasetSplit<MemoryDataset>> {
  const folder = await findMnist(data) ?? data;
  const find = async (name: string) => {
    const file = await findFile(folder, name);
    if (file) return { file, bytes: await unpacked(file) };
    const target = join(folder, `${name}.gz`);
    await download(`${source.url}${name}.gz`, target, source.md5[name]!, { progress });
    return { file: target, bytes: await unpacked(target) };
  };
  const trainImages = await find(TRAIN_IMAGES);
  const trainLabels = await find(TRAIN_LABELS);
  const testImages = await find(TEST_IMAGES);
  return assembleMnist(part(trainImages, trainLabels), part(testImages, await find(TEST_LABELS)));
}

function part(images: Found, labels: Found) {
  return { images: images.bytes, labels: labels.bytes, imagesFile: images.file, labelsFile: labels.file };
}

/** The folder that has at least one of the files; undefined where there is none. Throws `UserError` where there can't be. */
export async function findMnist(data: string): Promise<string | undefined> {
  const info = await statIfThere(data);
  if (info && !info.isDirectory) {
    throw new UserError(`${data}: not a folder with MNIST's files; check --data`);
  }
  for (const folder of [data, ...FOLDERS.map((name) => join(data, name))]) {
    for (const name of Object.keys(MD5)) if (await findFile(folder, name)) return folder;
  }
  return undefined;
}

/** `train-images-idx3-ubyte`, the same with .gz, or `train-images.idx3-ubyte`, as it is called by some. */
async function findFile(folder: string, name: string): Promise<string | undefined> {
  for (const spelling of [name, name.replace("-idx", ".idx")]) {
    for (const ending of ["", ".gz"]) {
      const file = join(folder, spelling + ending);
      if ((await statIfThere(file))?.isFile) return file;
    }
  }
  return undefined;
}

/** A file's bytes, unpacked where its name ends with .gz; never more than `LARGEST`. */
export async function unpacked(file: string): Promise<Uint8Array> {
  const size = (await statIfThere(file))?.size ?? 0;
  if (size > LARGEST) throw new UserError(`${file}: ${size} bytes are too many for a file of MNIST`);
  const bytes = await readBytes(file);
  if (!file.endsWith(".gz")) return bytes;
  try {
    return gunzipSync(bytes, { maxOutputLength: LARGEST });
  } catch (error) {
    throw new UserError(`${file}: not a readable .gz (${reason(error)}); get the file again`);
  }
}
