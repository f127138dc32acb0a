/** What a Python pickle holds, as `readPickle` gives it. */

/** Tuples and lists are arrays, bytes and Python 2's strings are bytes; keys that are bytes are read as Latin-1 text. */
export type PickleValue =
  | null
  | boolean
  | number
  | bigint
  | string
  | Uint8Array
  | PickleValue[]
  | Map<PickleValue, PickleValue>
  | PickleFunction
  | PickleObject;

/** Stands for a Python function or class. */
export type PickleFunction = (args: PickleValue[]) => PickleValue;

/** Stands for an object of some Python class. */
export abstract class PickleObject {
  /** Takes the state that follows the object in the pickle; throws `PickleError` where it has none. */
  abstract setState(state: PickleValue): void;
}

/** The pickle is truncated, corrupt, or holds what is not allowed. */
export class PickleError extends Error {}

/** It names a function or class that is not among those that were given. */
export class NotAllowed extends PickleError {}

/** In a few words, whatever it is: values may hold each other. */
export function describeValue(value: PickleValue | undefined): string {
  if (typeof value === "string") return `"${value.length > 40 ? `${value.slice(0, 40)}…` : value}"`;
  if (typeof value === "number" || typeof value === "boolean" || value === null) return String(value);
  if (typeof value === "bigint") return "a large number";
  if (value instanceof Uint8Array) return `${value.length} bytes`;
  if (Array.isArray(value)) return `a list of ${value.length}`;
  if (value instanceof Map) return `a dict of ${value.size}`;
  return value === undefined ? "nothing" : "an object";
}

/** Text of either Python: a string, or the bytes of Python 2's string. */
export function pickleText(value: PickleValue | undefined): string | undefined {
  if (typeof value === "string") return value;
  return value instanceof Uint8Array ? latin1(value) : undefined;
}

/** Not `TextDecoder("latin1")`, which is Windows-1252. */
export function latin1(bytes: Uint8Array): string {
  let text = "";
  for (let at = 0; at < bytes.length; at += 4096) {
    text += String.fromCharCode(...bytes.subarray(at, at + 4096));
  }
  return text;
}
