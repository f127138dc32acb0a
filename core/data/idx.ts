/** The idx files of MNIST: two zero bytes, the type, the number of axes, their extents as big-endian words, the bytes. */
import { UserError } from "../errors.ts";

export interface Idx {
  readonly shape: readonly number[];
  readonly data: Uint8Array;
}

const UNSIGNED_BYTES = 8;

/** Reads a file of unsigned bytes with `axes` axes. */
export function readIdx(bytes: Uint8Array, axes: number, file: string): Idx {
  const fail = (what: string) =>
    new UserError(`${file}: not a readable idx file: ${what}; get the file again`);
  const head = 4 + 4 * axes;
  if (bytes.length < head) throw fail(`${bytes.length} bytes are too few`);
  if (bytes[0] !== 0 || bytes[1] !== 0) throw fail("it does not begin with two zero bytes");
  if (bytes[2] !== UNSIGNED_BYTES) throw fail(`it is of type ${bytes[2]}, not of bytes (${UNSIGNED_BYTES})`);
  if (bytes[3] !== axes) throw fail(`it has ${bytes[3]} axes, expected ${axes}`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const shape = Array.from({ length: axes }, (_, axis) => view.getUint32(4 + 4 * axis));
  const size = shape.reduce((product, extent) => product * extent, 1);
  if (bytes.length - head !== size) {
    throw fail(`${bytes.length - head} bytes of data, expected ${shape.join(" × ")}`);
  }
  return { shape, data: bytes.subarray(head) };
}
