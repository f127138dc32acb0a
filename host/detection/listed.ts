/**
 * Labelled images as Darknet names them: a list of paths (train.txt, an image a line), or a .data file that names such lists:
 *
 *     classes = 3
 *     train = data/train.txt
 *     valid = data/test.txt
 *     names = data/obj.names
 */
import { basename, dirname, extname, isAbsolute, join, resolve } from "node:path";
import { parseClassList } from "../../core/data/detection/yolo_labels.ts";
import { UserError } from "../../core/errors.ts";
import { mapAtOnce } from "../at_once.ts";
import { readText, statIfThere } from "../files.ts";
import { isImageName, list } from "../images/files.ts";
import type { FoundAnnotations, FoundFile } from "./find.ts";
import { CLASS_LIST, commonFolder, keyOf, SETS, stemOf } from "./paths.ts";

/** Whether a file is called as one of these are. */
export function isListName(file: string): boolean {
  return /\.(txt|data)$/.test(file);
}

/** What a list or a .data file names. Throws `UserError` where it is neither. */
export async function findListed(file: string): Promise<FoundAnnotations> {
  const { lists, names, count } = file.endsWith(".data") ? await settingsOf(file) : await aloneOf(file);
  const classes = names === undefined ? undefined : parseClassList(await readText(names));
  if (classes && count !== undefined && classes.length !== count) {
    throw new UserError(`${file}: classes = ${count}, and ${names} has ${classes.length}`);
  }
  const sets = new Map<string, Set<string>>();
  for (const [set, path] of lists) {
    for (const image of await imagesOf(path)) {
      const own = sets.getOrInsert(image, new Set());
      if (set !== undefined) own.add(set);
    }
  }
  const images = [...sets.keys()].sort();
  const prefix = commonFolder(images.map(keyOf)).length;
  const files = await mapAtOnce(images, STATS_AT_ONCE, async (image): Promise<FoundFile> => ({
    name: keyOf(image).slice(prefix),
    image: await isFile(image) ? image : undefined,
    annotation: await labelOf(image),
    sets: [...sets.get(image)!],
  }));
  // Without names, numbers stand for them.
  const numbered = count === undefined
    ? undefined
    : Array.from({ length: count }, (_, label) => String(label));
  return { format: "yolo", files, classes: classes ?? numbered };
}

/** Files that are looked for at once. */
const STATS_AT_ONCE = 16;

interface Lists {
  /** Each with what its images are for, where that is known. */
  readonly lists: readonly (readonly [set: string | undefined, path: string])[];
  /** The file with the classes' names. */
  readonly names: string | undefined;
  /** How many classes there are, where that is said. */
  readonly count?: number | undefined;
}

/** A list without a .data file; names of classes lie beside it. */
async function aloneOf(file: string): Promise<Lists> {
  const stem = stemOf(basename(file));
  const names = (await list(dirname(file))).files.find((name) => CLASS_LIST.test(name));
  return {
    lists: [[SETS.test(stem) ? stem : undefined, file]],
    names: names === undefined ? undefined : join(dirname(file), names),
  };
}

async function settingsOf(file: string): Promise<Lists> {
  const settings = new Map(
    (await readText(file)).split(/\r?\n/).map((line) => {
      const [key = "", value = ""] = line.replace(/#.*/, "").split("=", 2);
      return [key.trim(), value.trim()] as const;
    }),
  );
  const find = async (key: string) => {
    const path = settings.get(key);
    if (!path) return undefined;
    const found = isAbsolute(path) ? path : join(await baseOf(file, [path]), path);
    if (await isFile(found)) return found;
    throw new UserError(`${file}: ${key} = ${path}: there is no such file`);
  };
  const train = await find("train");
  if (train === undefined) throw new UserError(`${file}: has no line such as train = data/train.txt`);
  const valid = await find("valid");
  const classes = settings.get("classes");
  if (classes !== undefined && !/^[1-9]\d{0,3}$/.test(classes)) {
    throw new UserError(`${file}: classes = ${classes}, expected a whole number of 1 to 9999`);
  }
  return {
    lists: [["train", train], ...valid === undefined ? [] : [["valid", valid] as const]],
    names: await find("names"),
    count: classes === undefined ? undefined : Number(classes),
  };
}

/** Full paths of the images in a list. */
async function imagesOf(file: string): Promise<string[]> {
  const lines = (await readText(file)).split(/\r?\n/).map((line) => line.trim().replaceAll("\\", "/"));
  const paths = lines.filter((line) => line !== "");
  const strange = paths.find((path) => !isImageName(path));
  if (strange !== undefined || paths.length === 0) {
    const what = strange === undefined ? "is empty" : `"${strange}"`;
    throw new UserError(`${file}: ${what}, expected the path of an image in each line`);
  }
  const base = await baseOf(file, paths.filter((path) => !isAbsolute(path)));
  return paths.map((path) => isAbsolute(path) ? path : join(base, path));
}

/** Paths of a list that are tried before its folder counts as wrong: some images may be missing. */
const TRIED = 20;

/**
 * Where the relative paths in a file begin: its own folder, or one above it, since Darknet takes them from where it is
 * started.
 */
async function baseOf(file: string, paths: readonly string[]): Promise<string> {
  for (let folder = resolve(dirname(file));; folder = dirname(folder)) {
    for (const path of paths.slice(0, TRIED)) if (await isFile(join(folder, path))) return folder;
    if (folder === dirname(folder)) return resolve(dirname(file));
  }
}

/** The label file of an image: in labels/ where the image is in images/ or JPEGImages/, or beside it. */
async function labelOf(image: string): Promise<string | undefined> {
  const beside = image.slice(0, image.length - extname(image).length) + ".txt";
  const away = beside.replace(/(.*\/)(images|JPEGImages)\//, "$1labels/");
  for (const path of [away, beside]) if (await isFile(path)) return path;
  return undefined;
}

async function isFile(path: string): Promise<boolean> {
  return (await statIfThere(path))?.isFile ?? false;
}
