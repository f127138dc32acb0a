import { parseStateDict } from "../core/format/read_state_dict.ts";
import type { StateDict } from "../core/format/state_dict.ts";
import { readBytes } from "./files.ts";

/** Reads a file of weights of any format that `parseStateDict` knows, recognised by its content. */
export async function readStateDict(path: string): Promise<StateDict> {
  return await parseStateDict(await readBytes(path), path);
}
