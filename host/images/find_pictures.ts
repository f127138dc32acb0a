/** Files that are named one by one, by folder, or with wildcards. */
import { glob } from "node:fs/promises";
import { join } from "node:path";
import { UserError } from "../../core/errors.ts";
import { reason, statIfThere } from "../files.ts";
import { EXTENSIONS } from "./files.ts";

/** In the order given; those of a folder and of a pattern by name. Throws where a name stands for nothing. */
export async function findPictures(names: readonly string[]): Promise<string[]> {
  const found: string[] = [];
  for (const name of names) {
    const info = await statIfThere(name);
    if (info?.isFile) found.push(name);
    else if (info?.isDirectory) {
      const inside = await picturesIn(name);
      if (inside.length === 0) throw new UserError(`${name}: there are no images in this folder`);
      found.push(...inside);
    } else if (!info && /[*?[{]/.test(name)) {
      const matched = (await Array.fromAsync(glob(name))).filter((path) => EXTENSIONS.test(path)).sort();
      if (matched.length === 0) throw new UserError(`${name}: no image matches this pattern`);
      found.push(...matched);
    } else throw new UserError(`${name}: there is no such file or folder`);
  }
  return found;
}

/** Images in a folder and the folders in it, without hidden ones. */
async function picturesIn(folder: string): Promise<string[]> {
  const found: string[] = [];
  try {
    const entries = (await Array.fromAsync(Deno.readDir(folder))).filter(({ name }) => !name.startsWith("."));
    for (const { name, isDirectory } of entries.sort((a, b) => a.name < b.name ? -1 : 1)) {
      const path = join(folder, name);
      if (isDirectory) found.push(...await picturesIn(path));
      else if (EXTENSIONS.test(name)) found.push(path);
    }
  } catch (error) {
    throw new UserError(`${folder}: cannot be read (${reason(error)})`);
  }
  return found;
}
