/** The image files of a data set that cannot be decoded and are skipped: named in a file of the run's folder. */
import { join } from "node:path";
import { oneLine } from "../../core/errors.ts";
import { writeAtomically } from "../atomic_write.ts";

export interface DamagedFile {
  readonly file: string;
  readonly why: string;
}

/** Its name; a line for each, with a tab between path and reason. */
export const DAMAGED = "damaged.txt";

export interface DamagedList {
  readonly files: readonly DamagedFile[];
  add(file: DamagedFile): void;
  /** Writes them into a folder, where some are new. */
  saveIn(folder: string): Promise<void>;
}

export function createDamagedList(): DamagedList {
  const files: DamagedFile[] = [];
  let saved = 0;
  return {
    files,
    add: (file) => void files.push(file),
    async saveIn(folder) {
      if (files.length === saved) return;
      saved = files.length;
      const lines = files.map(({ file, why }) => `${oneLine(file)}\t${oneLine(why)}\n`);
      await writeAtomically(join(folder, DAMAGED), new TextEncoder().encode(lines.join("")));
    },
  };
}
