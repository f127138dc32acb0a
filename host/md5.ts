import { createHash } from "node:crypto";

/** The md5 of a file's bytes, in hexadecimal. */
export async function md5OfFile(path: string): Promise<string> {
  const hash = createHash("md5");
  const file = await Deno.open(path);
  for await (const chunk of file.readable) hash.update(chunk);
  return hash.digest("hex");
}
