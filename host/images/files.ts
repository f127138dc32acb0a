/** Finds labelled images in folders, as torchvision's ImageFolder does: a class is a folder, wherever in it they lie. */
import { join } from "node:path";
import { UserError } from "../../core/errors.ts";
import { keyOf, philox } from "../../core/random.ts";
import { mapAtOnce } from "../at_once.ts";
import { reason, statIfThere } from "../files.ts";

/** torchvision's, and GIF and AVIF. */
export const EXTENSIONS = /\.(jpe?g|png|webp|tiff?|gif|avif|bmp|p[bgp]m)$/i;

export function isImageName(name: string): boolean {
  return EXTENSIONS.test(name);
}

export interface LabelledFile {
  /** From the folder that was named: `train/ants/0013035.jpg`. Slashes on every system. */
  readonly name: string;
  readonly path: string;
  readonly bytes: number;
  readonly label: number;
}

export interface FoundImages {
  readonly classes: readonly string[];
  readonly train: readonly LabelledFile[];
  readonly test: readonly LabelledFile[];
  readonly notes: readonly string[];
}

export interface FindOptions {
  /** Share of each class to test on, where there is no folder for that. */
  readonly valSplit: number | undefined;
  readonly seed: number;
  /** Whether all images are to be tested on where none are set apart for it, in val/ or so, rather than some held back. */
  readonly testAll?: boolean;
}

const TRAIN = "train";
/** Where test images may be; the first one that is there. */
export const TESTS = ["val", "valid", "validation", "test"];
/** Held back where nobody said how many. */
export const DEFAULT_SPLIT = 0.2;

/** Images of a folder with train/ and val/ (or test/), each with a folder a class, or of a folder with a folder a class. */
export async function findImages(folder: string, options: FindOptions): Promise<FoundImages> {
  const info = await statIfThere(folder);
  if (!info) throw new UserError(`--data ${folder}: there is no such folder`);
  if (!info.isDirectory) throw new UserError(`--data ${folder}: not a folder of images`);
  const { folders } = await list(folder);
  const notes: string[] = [];
  const strangers: string[] = [];
  const all = options.testAll && options.valSplit === undefined;
  if (!folders.includes(TRAIN)) {
    const part = all ? TESTS.find((name) => folders.includes(name)) ?? "" : "";
    const inside = part === "" ? folders : (await list(join(folder, part))).folders;
    const { classes, files } = await findClasses(folder, part, inside, strangers);
    if (all) return { classes, train: [], test: files, notes: strangerNotes(strangers) };
    return { classes, ...splitOf(files, options, notes), notes: [...notes, ...strangerNotes(strangers)] };
  }
  const inside = await list(join(folder, TRAIN));
  const { classes, files } = await findClasses(folder, TRAIN, inside.folders, strangers);
  const place = TESTS.find((name) => folders.includes(name));
  if (!place) {
    if (all) return { classes, train: [], test: files, notes: strangerNotes(strangers) };
    return { classes, ...splitOf(files, options, notes), notes: [...notes, ...strangerNotes(strangers)] };
  }
  if (options.valSplit !== undefined) {
    throw new UserError(
      `--val-split has no effect with --data ${folder}: ${place}/ has the images to test on`,
    );
  }
  const testFolders = (await list(join(folder, place))).folders;
  const unknown = testFolders.find((name) => !classes.includes(name));
  if (unknown !== undefined) {
    throw new UserError(`${join(folder, place)}: there is no class ${unknown} in ${TRAIN}/`);
  }
  const test = await findClasses(folder, place, classes, strangers, new Set(testFolders));
  const absent = classes.filter((name) => !testFolders.includes(name));
  if (absent.length > 0) notes.push(`${place}/ has no images of ${absent.join(", ")}`);
  return { classes, train: files, test: test.files, notes: [...notes, ...strangerNotes(strangers)] };
}

/** Names of folders and files in order, without hidden ones. */
export async function list(folder: string): Promise<{ folders: string[]; files: string[] }> {
  const folders: string[] = [];
  const files: string[] = [];
  try {
    for await (const { name, isDirectory, isSymlink } of Deno.readDir(folder)) {
      if (name.startsWith(".")) continue;
      const isFolder = isSymlink ? await leadsToFolder(join(folder, name)) : isDirectory;
      (isFolder ? folders : files).push(name);
    }
  } catch (error) {
    throw new UserError(`${folder}: cannot be read (${reason(error)})`);
  }
  return { folders: folders.sort(), files: files.sort() };
}

/** A link that leads nowhere is taken for a file, and found to be a damaged one. */
function leadsToFolder(link: string): Promise<boolean> {
  return Deno.stat(link).then(({ isDirectory }) => isDirectory, () => false);
}

/** Whether images lie in folders of a folder, as those of classes do: in cats/ or in train/cats/. */
export async function hasImageFolders(folder: string, levels = 2): Promise<boolean> {
  if (!(await statIfThere(folder))?.isDirectory) return false;
  for (const name of (await list(folder)).folders) {
    const inner = join(folder, name);
    if ((await list(inner)).files.some(isImageName)) return true;
    if (levels > 1 && await hasImageFolders(inner, levels - 1)) return true;
  }
  return false;
}

/** Enough for a disk, or a network, that answers several at once. */
const STATS_AT_ONCE = 16;

async function findClasses(
  root: string,
  part: string,
  classes: readonly string[],
  strangers: string[],
  present: ReadonlySet<string> = new Set(classes),
): Promise<{ classes: readonly string[]; files: LabelledFile[] }> {
  const files: LabelledFile[] = [];
  for (const [label, name] of classes.entries()) {
    if (!present.has(name)) continue;
    const inside = part === "" ? name : `${part}/${name}`;
    const images: string[] = [];
    for (const file of await filesBelow(join(root, inside))) {
      (isImageName(file) ? images : strangers).push(`${inside}/${file}`);
    }
    if (images.length === 0) throw new UserError(`${join(root, part, name)}: there are no images in it`);
    const found = await mapAtOnce(images, STATS_AT_ONCE, async (name) => {
      const path = join(root, name);
      return { name, path, bytes: await sizeOf(path), label };
    });
    for (const file of found) files.push(file);
  }
  if (files.length === 0) {
    throw new UserError(
      `${
        join(root, part)
      }: there are no folders with images, one a class, as in cats/1.jpg and dogs/2.jpg; ` +
        "other data sets are named by --dataset",
    );
  }
  return { classes, files };
}

/** 0 where there is none to be had. */
function sizeOf(path: string): Promise<number> {
  return Deno.stat(path).then(({ size }) => size, () => 0);
}

/** Deeper than any tree of images is; links to a folder above would never end. */
const DEEPEST = 32;

/** Names of all files in a folder and those in it, `levels` deep, as seen from it, without hidden ones; files before folders. */
export async function filesBelow(folder: string, levels = Infinity, depth = 0): Promise<string[]> {
  if (depth > DEEPEST) throw new UserError(`${folder}: folders in folders without an end`);
  const { folders, files } = await list(folder);
  for (const inner of depth < levels ? folders : []) {
    const below = await filesBelow(join(folder, inner), levels, depth + 1);
    for (const file of below) files.push(`${inner}/${file}`);
  }
  return files;
}

function strangerNotes(strangers: readonly string[]): string[] {
  if (strangers.length === 0) return [];
  const some = strangers.slice(0, 3).join(", ");
  const more = strangers.length > 3 ? ` and ${strangers.length - 3} more` : "";
  return [`${strangers.length} files are no images by their names and were passed over: ${some}${more}`];
}

/** Holds back the same share of each class: those whose names the seed draws first. */
function splitOf(
  files: readonly LabelledFile[],
  { valSplit, seed }: FindOptions,
  notes: string[],
): Pick<FoundImages, "train" | "test"> {
  const share = valSplit ?? DEFAULT_SPLIT;
  if (valSplit === undefined) {
    notes.push(`no folder to test on: ${100 * share} % of each class are held back for it, see --val-split`);
  }
  const held = new Set<LabelledFile>();
  for (const members of Map.groupBy(files, ({ label }) => label).values()) {
    const count = Math.min(Math.max(Math.round(share * members.length), 1), members.length - 1);
    for (const file of drawByName(members, ({ name }) => name, count, seed)) held.add(file);
  }
  return { train: files.filter((file) => !held.has(file)), test: files.filter((file) => held.has(file)) };
}

/** The `count` members that the seed draws by their names, whatever others there are. */
export function drawByName<Member>(
  members: readonly Member[],
  nameOf: (member: Member) => string,
  count: number,
  seed: number,
): Member[] {
  return members
    .map((member) => {
      const name = nameOf(member);
      return { member, name, rank: philox(keyOf(seed), [hashName(name), 0, 0, 1])[0] };
    })
    .sort((a, b) => a.rank - b.rank || (a.name < b.name ? -1 : 1))
    .slice(0, count)
    .map(({ member }) => member);
}

/** FNV-1a of the name's UTF-16 units. */
function hashName(name: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < name.length; i++) hash = Math.imul(hash ^ name.charCodeAt(i), 0x01000193);
  return hash >>> 0;
}
