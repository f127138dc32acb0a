import { UserError } from "../errors.ts";

/** A zip whose records are read one by one, when they are asked for. */
export interface Zip {
  readonly names: ReadonlySet<string>;
  /** The bytes of a record; its checksum is checked. Throws `UserError` where there is none or it is compressed. */
  readonly read: (name: string) => Promise<Uint8Array>;
}

/** Opens a zip whose records are stored as they are, as far as they are read. `file` is what errors call it. */
export async function openZip(bytes: Uint8Array, file: string): Promise<Zip> {
  // Most files of weights are no zips.
  const { configure, Uint8ArrayReader, Uint8ArrayWriter, ZipReader } = await import("@zip.js/zip.js");
  configure({ useWebWorkers: false });
  const attempt = async <Result>(action: () => Promise<Result>): Promise<Result> => {
    try {
      return await action();
    } catch (error) {
      const { message } = error as Error;
      throw new UserError(`${file}: not a readable zip (${message}); it is truncated or corrupt`);
    }
  };
  const options = { checkSignature: true, checkOverlappingEntry: true };
  const entries = await attempt(() => new ZipReader(new Uint8ArrayReader(bytes), options).getEntries());
  const files = new Map(entries.map((entry) => [entry.filename, entry]));
  return {
    names: new Set(files.keys()),
    read: (name) =>
      attempt(async () => {
        const entry = files.get(name);
        if (!entry || entry.directory) throw new Error(`it has no ${name}`);
        if (entry.compressionMethod !== 0 || entry.encrypted) {
          throw new Error(
            `${name} is ${entry.encrypted ? "encrypted" : "compressed"}, which torch.save never does`,
          );
        }
        if (entry.uncompressedSize > bytes.length) throw new Error(`${name} reaches beyond the end`);
        return await entry.getData(new Uint8ArrayWriter());
      }),
  };
}
