import { UserError } from "../errors.ts";

/**
 * The records of a zip in which everything is stored as it is, by name. Checksums are checked; sizes add up to no more
 * than the file's, since records may not overlap.
 */
export async function readZip(bytes: Uint8Array, file: string): Promise<Map<string, Uint8Array>> {
  // Most files of weights are no zips.
  const { configure, Uint8ArrayReader, Uint8ArrayWriter, ZipReader } = await import("@zip.js/zip.js");
  configure({ useWebWorkers: false });
  const records = new Map<string, Uint8Array>();
  try {
    const reader = new ZipReader(new Uint8ArrayReader(bytes), {
      checkSignature: true,
      checkOverlappingEntry: true,
    });
    let size = 0;
    for await (const entry of reader.getEntriesGenerator()) {
      const { filename, compressionMethod, encrypted, uncompressedSize } = entry;
      if (entry.directory) continue;
      if (compressionMethod !== 0 || encrypted) {
        throw new Error(
          `${filename} is ${encrypted ? "encrypted" : "compressed"}, readable are stored records`,
        );
      }
      size += uncompressedSize;
      if (size > bytes.length) throw new Error(`${filename} reaches beyond the end`);
      if (records.has(filename)) throw new Error(`it has ${filename} twice`);
      records.set(filename, await entry.getData(new Uint8ArrayWriter()));
    }
    await reader.close();
  } catch (error) {
    throw new UserError(
      `${file}: not a readable zip (${(error as Error).message}); it is truncated or corrupt`,
    );
  }
  return records;
}
