/** Damage to files, as disks, downloads and attackers do it. */
import type { Dice } from "./dice.ts";

/** Where formats keep what they say of themselves. */
const ENDS = 20_000;

/** Words that lengths and counts may turn into. */
const WORDS = [0, 1, 0x7f, 0xff, 0x7fff, 0xffff, 0x7fffffff, 0x80000000, 0xffffffff];

/** A copy with one to six faults: flipped bits, other bytes, inflated numbers, parts moved, doubled, cut out or off. */
export function mutate(bytes: Uint8Array, dice: Dice): Uint8Array<ArrayBuffer> {
  let result = new Uint8Array(bytes);
  for (let faults = 1 + dice.whole(6); faults > 0 && result.length > 0; faults--) {
    result = damage(result, placeIn(result.length, dice), dice);
  }
  return result;
}

/** Mostly near the beginning or the end. */
function placeIn(length: number, { share, whole }: Dice): number {
  const where = share();
  const near = whole(Math.min(ENDS, length));
  return where < 0.45 ? near : where < 0.75 ? length - 1 - near : whole(length);
}

function damage(
  bytes: Uint8Array<ArrayBuffer>,
  at: number,
  { share, whole, pick }: Dice,
): Uint8Array<ArrayBuffer> {
  const kind = share();
  if (kind < 0.3) bytes[at]! ^= 1 << whole(8);
  else if (kind < 0.55) bytes[at] = whole(256);
  else if (kind < 0.75) {
    const word = new DataView(new ArrayBuffer(4));
    word.setUint32(0, pick(WORDS), pick([true, false]));
    bytes.set(new Uint8Array(word.buffer, 0, Math.min(pick([2, 4]), bytes.length - at)), at);
  } else if (kind < 0.87) {
    bytes.copyWithin(at, whole(bytes.length), whole(bytes.length));
  } else if (kind < 0.95) {
    const length = whole(Math.min(64, bytes.length - at));
    const again = pick([true, false]) ? bytes.subarray(at, at + length) : new Uint8Array();
    return joined(bytes.subarray(0, at), again, again, bytes.subarray(at + length));
  } else return bytes.slice(0, at);
  return bytes;
}

function joined(...parts: Uint8Array[]): Uint8Array<ArrayBuffer> {
  const result = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    result.set(part, at);
    at += part.length;
  }
  return result;
}
