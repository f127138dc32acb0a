/** The attributes of a golden case, read one by one, so that none is left unread in silence. */
import { type Padding, type Pair, pair, sides } from "../shape.ts";
import { Missing } from "./case.ts";
import { GoldenError } from "./golden.ts";

export interface Attributes {
  number(name: string, fallback?: number): number;
  boolean(name: string, fallback: boolean): boolean;
  text(name: string, fallback: string): string;
  /** One number for both axes, or [height, width]. */
  pair(name: string, fallback?: Pair): [number, number];
  /** One number, [height, width] or [top, left, bottom, right]. */
  sides(name: string): [number, number, number, number];
  /** An axis counted from the front; the file may count it from the back with a negative number. */
  axis(name: string, rank: number, fallback?: number): number;
  /** Throws `Missing` where the case has an attribute that nothing asked for. */
  expectAllRead(op: string): void;
}

export function readAttributes(raw: Readonly<Record<string, unknown>>): Attributes {
  const read = new Set<string>();
  const get = <T>(name: string, fallback: T | undefined): T => {
    read.add(name);
    const value = (raw[name] ?? fallback) as T | undefined;
    if (value === undefined) throw new GoldenError(`the case has no attribute ${name}`);
    return value;
  };
  return {
    number: (name, fallback) => get<number>(name, fallback),
    boolean: (name, fallback) => get<boolean>(name, fallback),
    text: (name, fallback) => get<string>(name, fallback),
    pair: (name, fallback) => pair(get<Pair>(name, fallback)),
    sides: (name) => sides(get<Padding>(name, 0)),
    axis(name, rank, fallback) {
      const axis = get<number>(name, fallback);
      return axis < 0 ? axis + rank : axis;
    },
    expectAllRead(op) {
      const unread = Object.keys(raw).find((name) => !read.has(name));
      if (unread) throw new Missing(`${op} has no attribute ${unread}`);
    },
  };
}
