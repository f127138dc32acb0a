/** Files that a user asks about: some may be no images, and all others are answered. */
import { oneLine } from "../core/errors.ts";
import type { Prepared } from "../host/images/load.ts";

export interface Decoded {
  readonly good: readonly Extract<Prepared, { image: unknown }>[];
  readonly bad: readonly Extract<Prepared, { damaged: string }>[];
}

/** Tells of each file that is no image. */
export async function* decodedBatches(prepared: AsyncIterable<readonly Prepared[]>): AsyncGenerator<Decoded> {
  for await (const batch of prepared) {
    const good = batch.filter((one) => "image" in one);
    const bad = batch.filter((one) => "damaged" in one);
    for (const { path, damaged } of bad) {
      console.error(`Note: ${oneLine(`${path}: cannot be decoded (${damaged})`)}`);
    }
    yield { good, bad };
  }
}

/** Exit code where files could not be decoded. */
const SOME_DAMAGED = 4;

/** How many could not be decoded, if any; returns the command's exit code. */
export function endOf(damaged: number, files: number): number {
  if (damaged === 0) return 0;
  console.error(`${damaged} of ${files} files could not be decoded`);
  return SOME_DAMAGED;
}
