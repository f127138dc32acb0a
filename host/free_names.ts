/** Names for files that are made of other files, so that none is written over another. */
import { basename, extname } from "node:path";

/** The name of the file at `path` with another ending, and with a number where that name is taken; it is taken then. */
export type NameFor = (path: string, ending?: string) => string;

/** Capitals do not count: some systems take a.jpg and A.jpg for one. */
export function freeNames(takenAlready: Iterable<string>): NameFor {
  const taken = new Set(Array.from(takenAlready, (name) => name.toLowerCase()));
  return (path, ending = "") => {
    const stem = basename(path, extname(path));
    let name = stem + ending;
    for (let count = 2; taken.has(name.toLowerCase()); count++) name = `${stem}-${count}${ending}`;
    taken.add(name.toLowerCase());
    return name;
  };
}
