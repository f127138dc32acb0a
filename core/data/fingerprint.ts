/** Tells whether a run goes on with the images that it began with. */
import type { DatasetSplit, ImageSet } from "./dataset.ts";

/** Of a data set: how many images, and a hash of what it says it contains. */
export interface Fingerprint {
  readonly train: number;
  readonly test: number;
  /** Eight hexadecimal digits. */
  readonly hash: string;
}

/** Takes a quarter of a second for CIFAR-10. Good against accidents, not against intent. */
export function fingerprint({ train, test }: DatasetSplit<ImageSet>): Fingerprint {
  const hash = [train, test].reduce(hashDataset, 0x811c9dc5);
  return { train: train.count, test: test.count, hash: (hash >>> 0).toString(16).padStart(8, "0") };
}

function hashDataset(hash: number, dataset: ImageSet): number {
  return dataset.contents().reduce(hashBytes, hash);
}

/** FNV-1a, by 32-bit words, with the high half folded in so that no bit is lost upwards. */
function hashBytes(hash: number, bytes: Uint8Array): number {
  const aligned = bytes.byteOffset % 4 === 0 ? bytes : bytes.slice();
  const words = new Uint32Array(aligned.buffer, aligned.byteOffset, aligned.length >>> 2);
  for (let i = 0; i < words.length; i++) {
    hash = Math.imul(hash ^ words[i]!, 0x01000193);
    hash ^= hash >>> 15;
  }
  for (let i = 4 * words.length; i < bytes.length; i++) hash = Math.imul(hash ^ bytes[i]!, 0x01000193);
  return hash;
}
