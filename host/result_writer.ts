/** The files that an evaluation leaves in a folder, whatever was tested. */
import { join } from "node:path";
import { CannotWrite, writeAtomically } from "./atomic_write.ts";
import { reason, statIfThere } from "./files.ts";

export const CLASS_TABLE = "classes.csv";
export const MISTAKES = "mistakes.png";

export interface ResultWriter {
  write(name: string, content: string | Uint8Array): Promise<void>;
  /** Takes away what an evaluation before left under a name, where this one has nothing to show there. */
  clear(name: string): Promise<void>;
  /** Names of what was written. */
  readonly written: string[];
}

export function createResultWriter(folder: string): ResultWriter {
  const encoder = new TextEncoder();
  const written: string[] = [];
  return {
    written,
    async write(name, content) {
      const bytes = typeof content === "string" ? encoder.encode(content) : content;
      await writeAtomically(join(folder, name), bytes);
      written.push(name);
    },
    async clear(name) {
      const path = join(folder, name);
      if (!await statIfThere(path)) return;
      try {
        await Deno.remove(path);
      } catch (error) {
        throw new CannotWrite(
          `${path}: cannot be removed (${reason(error)}); it shows an earlier evaluation`,
        );
      }
    },
  };
}
