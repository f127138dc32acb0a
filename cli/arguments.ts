/** Flags: what each is, how it is read, and one line of complaint for each way to get it wrong. */
import { parseArgs } from "node:util";
import { UserError } from "../core/errors.ts";
import { likely, nearest } from "../core/nearest.ts";

export interface Flag<T> {
  /** What stands for the value in the help; none for a switch. */
  readonly value?: string;
  /** The value of a flag that is given without one, where that may be. */
  readonly bare?: string;
  /** All that the value may be, where that is a list. */
  readonly choices?: readonly string[];
  readonly help: string;
  /** `text` is "true" or "false" for a switch. Throws `UserError`. */
  readonly parse: (text: string, flag: string) => T;
}

type Flags = Readonly<Record<string, Flag<unknown>>>;
export type Parsed<F extends Flags> = { readonly [K in keyof F]?: F[K] extends Flag<infer T> ? T : never };

/**
 * Reads `--flag value`, `--flag=value`, switches and, for those that `off` names, their opposites: `--no-switch`. Flags
 * that are not given are absent from the result.
 */
export function parseFlags<F extends Flags>(
  flags: F,
  args: readonly string[],
  off: readonly string[] = [],
): Parsed<F> {
  const options = Object.fromEntries(
    Object.entries(flags).map(([name, { value }]) => [name, { type: value ? "string" : "boolean" } as const]),
  );
  const { tokens } = parseArgs({
    args: withBareValues(flags, args),
    options,
    strict: false,
    allowPositionals: true,
    tokens: true,
  });
  const parsed: Record<string, unknown> = {};
  for (const token of tokens) {
    if (token.kind === "option-terminator") continue;
    if (token.kind === "positional") {
      throw new UserError(`"${token.value}" is not expected here: every setting is a flag; see --help`);
    }
    const flag = Object.hasOwn(flags, token.name) ? flags[token.name] : undefined;
    const opposite = off.find((name) => token.name === `no-${name}`);
    if (!flag && opposite !== undefined && token.value === undefined) {
      if (opposite in parsed) throw new UserError(`--${opposite} and ${token.rawName} contradict each other`);
      parsed[opposite] = false;
      continue;
    }
    if (!flag) {
      const meant = likely(token.name, Object.keys(flags));
      throw new UserError(
        `${token.rawName} is no flag${
          meant === undefined ? " here; see --help" : `: did you mean --${meant}?`
        }`,
      );
    }
    if (flag.value && token.value === undefined) {
      throw new UserError(`--${token.name} needs a value: ${flag.value}`);
    }
    if (!flag.value && token.value !== undefined) throw new UserError(`--${token.name} takes no value`);
    if (parsed[token.name] === false) {
      throw new UserError(`--no-${token.name} and ${token.rawName} contradict each other`);
    }
    if (token.name in parsed) throw new UserError(`--${token.name} is given twice`);
    parsed[token.name] = flag.parse(token.value ?? "true", `--${token.name}`);
  }
  return parsed as Parsed<F>;
}

/** `--flag` becomes `--flag=VALUE` where it may stand alone and does. */
function withBareValues(flags: Flags, args: readonly string[]): string[] {
  return args.map((arg, i) => {
    const { bare, choices } = flags[arg.slice(2)] ?? {};
    const next = args[i + 1];
    const isAlone = next === undefined || next.startsWith("--") || (choices && !choices.includes(next));
    return arg.startsWith("--") && bare !== undefined && isAlone ? `${arg}=${bare}` : arg;
  });
}

/** Lines of `--flag VALUE  what it does`, aligned. */
export function describeFlags(flags: Flags): string[] {
  return describeGroups({ "": flags });
}

/** Columns of the help: what a terminal has at least. */
const COLUMNS = 80;

/** The same under titles, all groups aligned alike. */
export function describeGroups(groups: Readonly<Record<string, Flags>>): string[] {
  const named = (name: string, { value }: Flag<unknown>) => `  --${name}${value ? ` ${value}` : ""}`;
  const all = Object.values(groups).flatMap((flags) => Object.entries(flags));
  const width = Math.max(...all.map(([name, flag]) => named(name, flag).length)) + 2;
  const describe = ([name, flag]: [string, Flag<unknown>]) => {
    const [first = "", ...more] = wrap(flag.help, COLUMNS - width);
    return [named(name, flag).padEnd(width) + first, ...more.map((line) => " ".repeat(width) + line)];
  };
  return Object.entries(groups).flatMap(([title, flags]) => [
    ...title ? ["", `${title}:`] : [],
    ...Object.entries(flags).flatMap(describe),
  ]);
}

/** Breaks a text between words into lines of at most `width` characters. */
function wrap(text: string, width: number): string[] {
  const lines = [""];
  for (const word of text.split(" ")) {
    const line = lines.at(-1)!;
    if (line !== "" && line.length + 1 + word.length > width) lines.push(word);
    else lines[lines.length - 1] = line === "" ? word : `${line} ${word}`;
  }
  return lines;
}

/** A flag without a value. */
export function switchFlag(help: string): Flag<boolean> {
  return { help, parse: (given) => given === "true" };
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

/** A flag that one of some words empties: what a recipe or a file of settings has is switched off so. */
export function orOff<T>(flag: Flag<T>, off: T, words: readonly string[] = ["none", "off", "0"]): Flag<T> {
  return { ...flag, parse: (given, name) => words.includes(given) ? off : flag.parse(given, name) };
}

/** A flag with one of some names; a mistyped one is answered with the nearest. */
export function oneOf<Choice extends string>(choices: readonly Choice[], help: string): Flag<Choice> {
  return {
    value: "NAME",
    help,
    choices,
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
    choices,
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
export function whole(help: string, range: Range = {}, value = "N"): Flag<number> {
  return { value, help, parse: (given, flag) => inRange(given, flag, range, "a whole number") };
}

/** A flag with a number. */
export function real(help: string, range: Range = {}, value = "X"): Flag<number> {
  return { value, help, parse: (given, flag) => inRange(given, flag, range, "a number") };
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

/** A flag with numbers, separated by commas. */
export function realList(help: string, range: Range = {}): Flag<readonly number[]> {
  return {
    value: "X,X,…",
    help,
    parse: (given, flag) => given.split(",").map((item) => inRange(item.trim(), flag, range, "a number")),
  };
}

/** Takes apart what is no flag, such as files, and the rest, for `parseFlags`. */
export function splitPositionals(
  flags: Flags,
  args: readonly string[],
): { positionals: string[]; rest: string[] } {
  const options = Object.fromEntries(
    Object.entries(flags).map(([name, { value }]) => [name, { type: value ? "string" : "boolean" } as const]),
  );
  const whole = withBareValues(flags, args);
  const { tokens } = parseArgs({ args: whole, options, strict: false, allowPositionals: true, tokens: true });
  const found = tokens.filter(({ kind }) => kind === "positional");
  const places = new Set(found.map(({ index }) => index));
  return {
    positionals: found.map(({ index }) => whole[index]!),
    rest: whole.filter((_, index) => !places.has(index)),
  };
}
