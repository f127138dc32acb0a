/** The files that an evaluation leaves in a folder, whatever was tested. */
import { join } from "node:path";
import { writeAtomically } from "./atomic_write.ts";

export const CLASS_TABLE = "classes.csv";
export const MISTAKES = "mistakes.png";

export interface ResultWriter {
  write(name: string, content: string | Uint8Array): Promise<void>;
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
  };
}
