/** The attributes of a golden case, read one by one, so that none is left unread in silence. */
import type { NamedPadding } from "../nn/functional.ts";
import { type Padding, type Pair, pair } from "../shape.ts";
import { Missing } from "./case.ts";
import { GoldenError } from "./golden.ts";

export interface Attributes {
  number(name: string, fallback?: number): number;
  /** The same, or null where the file says so, as for what may be None in PyTorch. */
  numberOrNull(name: string, fallback: number): number | null;
  boolean(name: string, fallback: boolean): boolean;
  text(name: string, fallback: string): string;
  /** One number for both axes, or [height, width]. */
  pair(name: string, fallback?: Pair): [number, number];
  /** The same, for what may also be None (null in the file) in PyTorch, or left out. */
  optionalPair(name: string): [number, number] | undefined;
  /** One number, [height, width], [top, left, bottom, right], or Keras's `same` or `valid`. */
  padding(): Padding | NamedPadding;
  /** An axis counted from the front; the file may count it from the back with a negative number. */
  axis(name: string, rank: number, fallback?: number): number;
  /** Throws `Missing` where the case has an attribute that nothing asked for, unless it is off: null or false. */
  expectAllRead(op: string): void;
}

/** Readers over the attributes of a case; they throw where one is absent or null. */
export function readAttributes(raw: Readonly<Record<string, unknown>>): Attributes {
  const read = new Set<string>();
  const get = <T>(name: string, fallback: T | undefined): T => {
    read.add(name);
    if (raw[name] === null) throw new Missing(`${name} may not be null`);
    const value = (raw[name] ?? fallback) as T | undefined;
    if (value === undefined) throw new GoldenError(`the case has no attribute ${name}`);
    return value;
  };
  return {
    number: (name, fallback) => get<number>(name, fallback),
    numberOrNull(name, fallback) {
      read.add(name);
      return raw[name] === null ? null : get<number>(name, fallback);
    },
    boolean: (name, fallback) => get<boolean>(name, fallback),
    text: (name, fallback) => get<string>(name, fallback),
    pair: (name, fallback) => pair(get<Pair>(name, fallback)),
    optionalPair(name) {
      read.add(name);
      const value = raw[name] as Pair | null | undefined;
      return value === null || value === undefined ? undefined : pair(value);
    },
    padding: () => get<Padding | NamedPadding>("padding", 0),
    axis(name, rank, fallback) {
      const axis = get<number>(name, fallback);
      return axis < 0 ? axis + rank : axis;
    },
    expectAllRead(op) {
      const isOff = (value: unknown) => value === null || value === false;
      const unread = Object.keys(raw).find((name) => !read.has(name) && !isOff(raw[name]));
      if (unread) throw new Missing(`${op} has no attribute ${unread}`);
    },
  };
}
