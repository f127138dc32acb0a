import { createReadStream } from "node:fs";
import { pipeline } from "node:stream/promises";
import { createGunzip } from "node:zlib";
// @ts-types="npm:@types/tar-stream@3.1.4"
import { extract } from "tar-stream";
import { UserError } from "../core/errors.ts";
import { reason, statIfThere } from "./files.ts";

export interface Member {
  /** Path inside the archive. */
  readonly name: string;
  readonly bytes: Uint8Array;
}

/**
 * The files in a `.tar.gz` that `wanted` says yes to, one after another; the rest is passed over without being kept.
 * `wanted` may throw, for example at a wrong size. `officialBytes`, where known, helps to explain a short file.
 */
export async function* readTarGz(
  path: string,
  wanted: (name: string, size: number) => boolean,
  officialBytes?: number,
): AsyncGenerator<Member> {
  const entries = extract();
  const flow = pipeline(createReadStream(path), createGunzip(), entries);
  // Awaited below; until then a failure must not count as unhandled.
  flow.catch(() => {});
  try {
    for await (const entry of entries) {
      const { name, size = 0, type } = entry.header;
      if (type === "file" && wanted(name, size)) {
        const bytes = new Uint8Array(size);
        let at = 0;
        for await (const chunk of entry as AsyncIterable<Uint8Array>) {
          bytes.set(chunk, at);
          at += chunk.length;
        }
        yield { name, bytes };
      } else {
        entry.resume();
      }
    }
    await flow;
  } catch (error) {
    if (error instanceof UserError) throw error;
    const size = (await statIfThere(path))?.size ?? 0;
    const expected = officialBytes === undefined ? "" : `, expected ${officialBytes}`;
    throw new UserError(
      `${path}: not a readable .tar.gz (${
        reason(error)
      }; ${size} bytes${expected}); it is short or corrupt, get it again`,
    );
  }
}
