/** The image files that a user named: files, folders, and patterns such as `photos/**\/*.jpg`. */
import { join, normalize, resolve } from "node:path";
// @ts-types="npm:@types/picomatch@4.0.2"
import picomatch from "picomatch";
import { UserError } from "../../core/errors.ts";
import { statIfThere } from "../files.ts";
import { filesBelow, isImageName } from "./files.ts";

/**
 * Their paths, each once, in the order in which they were named and by name within a folder. A file that is named itself
 * need not end as images do; of folders and patterns only those that do count. Throws where nothing is found.
 */
export async function findImageFiles(named: readonly string[]): Promise<string[]> {
  const found = new Map<string, string>();
  for (const name of named) {
    for (const path of await filesOf(name)) if (!found.has(resolve(path))) found.set(resolve(path), path);
  }
  return [...found.values()];
}

async function filesOf(name: string): Promise<string[]> {
  const info = await statIfThere(name);
  if (info && !info.isDirectory) return [name];
  if (info) return some(await imagesIn(name), `${name}: there are no images in this folder`);
  const pattern = normalize(name);
  const { isGlob, base, glob } = picomatch.scan(pattern);
  if (!isGlob) throw new UserError(`${name}: there is no such file or folder`);
  const root = base || ".";
  const isThere = (await statIfThere(root))?.isDirectory ?? false;
  const levels = glob.includes("**") ? Infinity : glob.split("/").length - 1;
  const all = isThere ? await imagesIn(root, levels) : [];
  const matches = picomatch(pattern);
  return some(all.filter((path) => matches(path)), `${name}: no image has such a name`);
}

async function imagesIn(folder: string, levels?: number): Promise<string[]> {
  const names = await filesBelow(folder, levels);
  return names.filter(isImageName).map((name) => join(folder, name));
}

function some(paths: string[], otherwise: string): string[] {
  if (paths.length === 0) throw new UserError(otherwise);
  return paths;
}
