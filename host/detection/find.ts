/** Finds labelled images for detectors: PASCAL VOC's folders, YOLO's and Darknet's lists, without being told which. */
import { join } from "node:path";
import { parseImageSet } from "../../core/data/detection/image_set.ts";
import { isPairs, parseClassList, parsePairs } from "../../core/data/detection/yolo_labels.ts";
import { oneLine, UserError } from "../../core/errors.ts";
import { readBytes, statIfThere } from "../files.ts";
import { EXTENSIONS, list } from "../images/files.ts";
import { findListed, isListName } from "./listed.ts";
import { CLASS_LIST, commonFolder, keyOf, ROLES, SETS, stemOf } from "./paths.ts";

/** An image and its annotation, one of which may be missing. */
export interface FoundFile {
  /** Path from the data set's folder, without the ending and without what only says what kind of file it is. */
  readonly name: string;
  readonly image: string | undefined;
  readonly annotation: string | undefined;
  /** The lists that name it, or the folder (train, val, test) that it is in. */
  readonly sets: readonly string[];
}

export interface FoundAnnotations {
  readonly format: "voc" | "yolo";
  readonly files: readonly FoundFile[];
  /** The names of all classes, where a file has them. */
  readonly classes: readonly string[] | undefined;
}

/** What Ultralytics' YOLOs and their tools call a data set's settings. */
const SETTINGS = /^(data|dataset)\.ya?ml$/;
/** VOC has lists of one class as well, such as dog_train.txt. */
const SET_LIST = /(^|\/)ImageSets\/(Main\/)?(?!.*_(train|val|trainval|test)\.txt$)[^/]+\.txt$/;
/** Deeper than any data set is; links to a folder above would never end. */
const DEEPEST = 16;

/** All images and annotations in a folder, or those that a list names. Throws `UserError` where there are none. */
export async function findAnnotations(folder: string): Promise<FoundAnnotations> {
  try {
    return await find(folder);
  } catch (error) {
    // Messages quote the files, which may hold anything.
    throw error instanceof UserError ? new UserError(oneLine(error.message)) : error;
  }
}

async function find(folder: string): Promise<FoundAnnotations> {
  const info = await statIfThere(folder);
  if (!info) throw new UserError(`--data ${folder}: there is no such folder`);
  if (info.isFile && isListName(folder)) return await findListed(folder);
  if (!info.isDirectory) {
    throw new UserError(`--data ${folder}: neither a folder nor Darknet's list of images (.txt, .data)`);
  }
  const paths = await walk(folder, "", 0);
  const read = async (path: string) => new TextDecoder().decode(await readBytes(join(folder, path)));

  const images = withRole(paths.filter((path) => EXTENSIONS.test(path)));
  const xml = withRole(paths.filter((path) => path.toLowerCase().endsWith(".xml")));
  const keys = new Set(images.map(keyOf));
  const texts = paths.filter((path) =>
    path.endsWith(".txt") && !CLASS_LIST.test(path) && !SET_LIST.test(path)
  );
  const labels = texts.filter((path) => /(^|\/)labels\//i.test(path) || keys.has(keyOf(path)));
  const format = xml.length > 0 ? "voc" : "yolo";
  const annotations = format === "voc" ? xml : labels;
  if (annotations.length === 0) {
    throw new UserError(
      `--data ${folder}: there are no annotations: neither PASCAL VOC's (Annotations/*.xml) nor YOLO's (labels/*.txt); ` +
        "a folder for each class is for classifiers, such as resnet50",
    );
  }

  const pairs = pairUp(images, annotations);
  const sets = new Map<string, Set<string>>();
  const enlist = (key: string, set: string) => sets.getOrInsert(key, new Set()).add(set);
  for (const path of paths.filter((path) => SET_LIST.test(path))) {
    const base = path.replace(/ImageSets\/.*/, "");
    for (const name of parseImageSet(await read(path), path)) {
      // A name that no file has is a pair of which both are missing.
      if (!pairs.has(base + name)) pairs.set(base + name, {});
      enlist(base + name, stemOf(path));
    }
  }
  const [imageCalled, annotationCalled] = [finder(images), finder(annotations)];
  const chosen = new Map<string, string | undefined>();
  for (const path of paths.filter((path) => path.endsWith(".csv"))) {
    const csv = await read(path);
    if (!isPairs(csv)) continue;
    for (const names of parsePairs(csv, path)) {
      const image = imageCalled(names.image), annotation = annotationCalled(names.label);
      const key = keyOf(image ?? path.slice(0, path.lastIndexOf("/") + 1) + names.image);
      if (annotation !== undefined && !pairs.get(keyOf(annotation))?.image) pairs.delete(keyOf(annotation));
      const before = chosen.get(key) ?? image;
      if (before !== image) throw oneName(folder, [before!, image ?? names.image]);
      chosen.set(key, image);
      pairs.set(key, { image, annotation });
      enlist(key, stemOf(path));
    }
  }
  for (const [key, [image, ...others]] of Map.groupBy(images, keyOf)) {
    const isUsed = format === "yolo" || pairs.get(key)?.annotation !== undefined;
    if (others.length > 0 && isUsed && !chosen.has(key)) throw oneName(folder, [image!, others[0]!]);
  }
  const classList = paths.find((path) => CLASS_LIST.test(path));
  const settings = paths.find((path) => SETTINGS.test(path));
  const prefix = commonFolder([...pairs.keys()]);
  const full = (path: string | undefined) => path === undefined ? undefined : join(folder, path);
  return {
    format,
    classes: classList !== undefined
      ? parseClassList(await read(classList))
      : settings !== undefined
      ? await classesOf(await read(settings), join(folder, settings))
      : undefined,
    files: [...pairs].sort(([a], [b]) => a < b ? -1 : 1).map(([key, { image, annotation }]) => ({
      name: key.slice(prefix.length),
      image: full(image),
      annotation: full(annotation),
      sets: [...sets.get(key) ?? setsOf(key)],
    })),
  };
}

/** What the folders that a path leads through are for. */
function setsOf(path: string): Set<string> {
  return new Set(path.split("/").slice(0, -1).filter((folder) => SETS.test(folder)));
}

function oneName(folder: string, [a, b]: readonly [string, string]): UserError {
  return new UserError(
    `--data ${folder}: ${a} and ${b} have one name, and nothing tells whose an annotation is: remove or rename one`,
  );
}

/** Paths of all files below a folder, with slashes on every system. */
async function walk(root: string, folder: string, depth: number): Promise<string[]> {
  if (depth > DEEPEST) throw new UserError(`${join(root, folder)}: folders in folders without an end`);
  const { folders, files } = await list(join(root, folder));
  const inner: string[] = [];
  for (const name of folders) inner.push(...await walk(root, `${folder}${name}/`, depth + 1));
  return [...files.map((name) => folder + name), ...inner];
}

/** The `names` of a data.yaml: a list, or an object from numbers to names. Undefined where it has none. */
async function classesOf(text: string, file: string): Promise<string[] | undefined> {
  const { parse } = await import("yaml");
  let settings: unknown;
  try {
    // Otherwise it prints warnings, which quote the file.
    settings = parse(text, { logLevel: "error" });
  } catch (error) {
    throw new UserError(`${file}: not YAML (${(error as Error).message.split("\n", 1)[0]})`);
  }
  const names = (settings as { names?: unknown } | null)?.names;
  if (names === undefined) return undefined;
  const list = names !== null && typeof names === "object" ? Object.entries(names) : [];
  const isList = list.length > 0 &&
    list.every(([number, name], i) => number === String(i) && typeof name === "string");
  if (!isList) throw new UserError(`${file}: names must be a list of the classes' names`);
  return list.map(([, name]) => name);
}

/** Where some lie in a folder that is meant for such files, the others are something else: VOC's masks, pictures in docs. */
function withRole(paths: string[]): string[] {
  const meant = paths.filter((path) => path.split("/").slice(0, -1).some((part) => ROLES.test(part)));
  return meant.length > 0 ? meant : paths;
}

interface Pair {
  readonly image?: string | undefined;
  readonly annotation?: string | undefined;
}

function pairUp(images: readonly string[], annotations: readonly string[]): Map<string, Pair> {
  const pairs = new Map<string, Pair>();
  for (const image of images) pairs.set(keyOf(image), { image });
  for (const annotation of annotations) {
    const key = keyOf(annotation);
    pairs.set(key, { ...pairs.get(key), annotation });
  }
  return pairs;
}

/** A function that gives the path that a CSV calls by its end, such as `1.jpg` or `train/1.jpg`. */
function finder(paths: readonly string[]): (name: string) => string | undefined {
  const nameOf = (path: string) => path.slice(path.lastIndexOf("/") + 1);
  const byName = Map.groupBy(paths, nameOf);
  return (name) => byName.get(nameOf(name))?.find((path) => path === name || path.endsWith(`/${name}`));
}
