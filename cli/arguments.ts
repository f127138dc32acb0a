/** Flags: what each is, how it is read, and one line of complaint for each way to get it wrong. */
import { parseArgs } from "node:util";
import { UserError } from "../core/errors.ts";
import { nearest } from "../core/nearest.ts";

export interface Flag<T> {
  /** What stands for the value in the help; none for a switch. */
  readonly value?: string;
  /** Whether the value may be left out. */
  readonly optional?: boolean;
  readonly help: string;
  /** `text` is "true" for a switch, and empty where an optional value is left out. Throws `UserError`. */
  readonly parse: (text: string, flag: string) => T;
}

type Flags = Readonly<Record<string, Flag<unknown>>>;
export type Parsed<F extends Flags> = { readonly [K in keyof F]?: F[K] extends Flag<infer T> ? T : never };

/** Reads `--flag value`, `--flag=value` and switches. Flags that are not given are absent from the result. */
export function parseFlags<F extends Flags>(flags: F, args: readonly string[]): Parsed<F> {
  const options = Object.fromEntries(
    Object.entries(flags).map((
      [name, { value, optional }],
    ) => [name, { type: value && !optional ? "string" : "boolean" } as const]),
  );
  const { tokens } = parseArgs({
    args: [...args],
    options,
    strict: false,
    allowPositionals: true,
    tokens: true,
  });
  const parsed: Record<string, unknown> = {};
  for (let i = 0; i < tokens.length; i++) {
    const token = tokens[i]!;
    if (token.kind === "option-terminator") continue;
    if (token.kind === "positional") {
      throw new UserError(`"${token.value}" is not expected here: every setting is a flag; see --help`);
    }
    const flag = Object.hasOwn(flags, token.name) ? flags[token.name] : undefined;
    if (!flag) {
      throw new UserError(
        `${token.rawName} is no flag: did you mean --${nearest(token.name, Object.keys(flags))}?`,
      );
    }
    const next = tokens[i + 1];
    let { value } = token;
    if (flag.optional && value === undefined && next?.kind === "positional") {
      value = next.value;
      i++;
    }
    if (flag.value && !flag.optional && value === undefined) {
      throw new UserError(`--${token.name} needs a value: ${flag.value}`);
    }
    if (!flag.value && value !== undefined) throw new UserError(`--${token.name} takes no value`);
    if (token.name in parsed) throw new UserError(`--${token.name} is given twice`);
    parsed[token.name] = flag.parse(value ?? (flag.optional ? "" : "true"), `--${token.name}`);
  }
  return parsed as Parsed<F>;
}

/** Lines of `--flag VALUE  what it does`, aligned. */
export function describeFlags(flags: Flags): string[] {
  return describeGroups({ "": flags });
}

/** The same under titles, all groups aligned alike. */
export function describeGroups(groups: Readonly<Record<string, Flags>>): string[] {
  const named = (name: string, { value }: Flag<unknown>) => `--${name}${value ? ` ${value}` : ""}`;
  const all = Object.values(groups).flatMap((flags) => Object.entries(flags));
  const width = Math.max(...all.map(([name, flag]) => named(name, flag).length)) + 2;
  return Object.entries(groups).flatMap(([title, flags]) => [
    ...title ? ["", `${title}:`] : [],
    ...Object.entries(flags).map(([name, flag]) => `  ${named(name, flag).padEnd(width)}${flag.help}`),
  ]);
}

/** A flag without a value. */
export function switchFlag(help: string): Flag<boolean> {
  return { help, parse: () => true };
}

/** A flag with any text; `value` stands for it in the help. */
export function text(value: string, help: string): Flag<string> {
  return {
    value,
    help,
    parse(given, flag) {
      if (given === "") throw new UserError(`${flag} is empty; it needs a value: ${value}`);
      return given;
    },
  };
}

/** A flag with one of some names; a mistyped one is answered with the nearest. */
export function oneOf<Choice extends string>(choices: readonly Choice[], help: string): Flag<Choice> {
  return {
    value: "NAME",
    help,
    parse(given, flag) {
      const found = choices.find((choice) => choice === given);
      if (found) return found;
      throw new UserError(
        `${flag} ${given}: there is none of that name; did you mean ${nearest(given, choices)}? ` +
          `Known are ${choices.join(", ")}`,
      );
    },
  };
}

/** A flag with some of some names, separated by commas. */
export function namesOf<Choice extends string>(
  choices: readonly Choice[],
  help: string,
): Flag<readonly Choice[]> {
  const { parse } = oneOf(choices, help);
  return {
    value: "NAME,NAME,…",
    help,
    parse: (given, flag) => given.split(",").map((name) => parse(name.trim(), flag)),
  };
}

export interface Range {
  readonly min?: number;
  readonly max?: number;
  /** Whether `min` itself is refused. */
  readonly above?: boolean;
}

/** A flag with a whole number. */
export function whole(help: string, range: Range = {}): Flag<number> {
  return { value: "N", help, parse: (given, flag) => inRange(given, flag, range, "a whole number") };
}

/** The same where the number may be left out, and is then `otherwise`. */
export function optionalWhole(
  value: string,
  help: string,
  otherwise: number,
  range: Range = {},
): Flag<number> {
  return {
    value: `[${value}]`,
    optional: true,
    help,
    parse: (given, flag) => given === "" ? otherwise : inRange(given, flag, range, "a whole number"),
  };
}

/** A flag with a number. */
export function real(help: string, range: Range = {}): Flag<number> {
  return { value: "X", help, parse: (given, flag) => inRange(given, flag, range, "a number") };
}

/** A flag with whole numbers, separated by commas. */
export function wholeList(help: string, range: Range = {}): Flag<readonly number[]> {
  return {
    value: "N,N,…",
    help,
    parse: (given, flag) =>
      given.split(",").map((item) => inRange(item.trim(), flag, range, "a whole number")),
  };
}

function inRange(given: string, flag: string, { min, max, above }: Range, kind: string): number {
  const number = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(given) ? Number(given) : NaN;
  const fits = Number.isFinite(number) &&
    (kind === "a number" || Number.isSafeInteger(number)) &&
    (min === undefined || (above ? number > min : number >= min)) &&
    (max === undefined || number <= max);
  if (fits) return number;
  const from = min === undefined ? "" : above ? ` above ${min}` : ` of ${min} or more`;
  const to = max === undefined ? "" : `${from ? " and" : ""} at most ${max}`;
  throw new UserError(`${flag} must be ${kind}${from}${to}, not "${given}"`);
}
