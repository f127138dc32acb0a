import { createHash } from "node:crypto";
import { UserError } from "../core/errors.ts";
import { checkIsFile, reason } from "./files.ts";

/** The md5 of a file's bytes, in hexadecimal. */
export async function md5OfFile(path: string): Promise<string> {
  const hash = createHash("md5");
  try {
    checkIsFile(path);
    const file = await Deno.open(path);
    for await (const chunk of file.readable) hash.update(chunk);
  } catch (error) {
    throw new UserError(`${path}: cannot be read (${reason(error)})`);
  }
  return hash.digest("hex");
}
