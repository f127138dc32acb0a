/**
 * Darknet's `.weights`: a version (major, minor, revision as i32), the number of images seen in training (i64 since version
 * 0.2, i32 before), then all numbers as f32 without names or shapes, layer by layer.
 * https://github.com/pjreddie/darknet/blob/master/src/parser.c, load_weights_upto
 */
import { UserError } from "../errors.ts";
import { StateDict } from "./state_dict.ts";

const VERSION_BYTES = 12;

/** The name of the one tensor in it. */
export const DARKNET_WEIGHTS = "weights";

/** Whether the bytes can be such a file: a version 0.x. */
export function isDarknet(bytes: Uint8Array): boolean {
  if (bytes.length < VERSION_BYTES + 8) return false;
  const [major, minor, revision] = versionOf(bytes);
  return major === 0 && minor <= 5 && revision <= 10;
}

export function readDarknet(bytes: Uint8Array, file: string): StateDict {
  const over = (bytes.length - headerBytes(bytes)) % 4;
  if (over > 0) {
    throw new UserError(
      `${file}: a file of Darknet's whose last number has ${over} of 4 bytes; it is truncated`,
    );
  }
  // Copied, since the numbers may not be aligned.
  const data = new Float32Array(bytes.slice(headerBytes(bytes)).buffer);
  if (data.length === 0) throw new UserError(`${file}: a file of Darknet's without any weights`);
  return new StateDict(file, [[DARKNET_WEIGHTS, { shape: [data.length], dtype: "F32", data }]], {
    convention: "darknet",
  });
}

/** The file as parts to be written one after another; the parts of the weights are not copied. */
export function darknetParts(weights: Iterable<Float32Array>, seen = 0n): Uint8Array[] {
  const head = new Uint8Array(VERSION_BYTES + 8);
  const view = new DataView(head.buffer);
  view.setInt32(4, 2, true); // Version 0.2.0
  view.setBigInt64(VERSION_BYTES, seen, true);
  return [
    head,
    ...Array.from(weights, (data) => new Uint8Array(data.buffer, data.byteOffset, data.byteLength)),
  ];
}

function versionOf(bytes: Uint8Array): [major: number, minor: number, revision: number] {
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  return [view.getUint32(0, true), view.getUint32(4, true), view.getUint32(8, true)];
}

function headerBytes(bytes: Uint8Array): number {
  const [major, minor] = versionOf(bytes);
  return VERSION_BYTES + (10 * major + minor >= 2 ? 8 : 4);
}
