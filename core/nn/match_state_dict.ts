/** Compares a file's weights with a network's: what fits, and what does not. */
import type { Session } from "../backend/backend.ts";
import { oneLine, UserError } from "../errors.ts";
import { checkFinite } from "../finite.ts";
import type { Numbers } from "../format/dtype.ts";
import { describeTensor, type StateDict, type StateTensor } from "../format/state_dict.ts";
import { formatShape, sameShape } from "../shape.ts";
import { fromDarknet } from "./darknet_order.ts";
import { fromKeras } from "./keras_order.ts";
import { Counter, type Module, stateDict } from "./module.ts";

/** What need not fit. */
export interface MatchOptions {
  /** Takes what fits and leaves the rest of the network as it is, such as a new head. */
  readonly partial?: boolean;
  /** Tensors that the file may lack or have in another shape: those of a head for another number of classes. */
  readonly head?: ReadonlySet<string>;
  /**
   * The module of a detector whose weights may be those of a classifier. These need not have its name before theirs, and
   * may be those of its first layers only; what lies beside it in the file is the classifier's head.
   */
  readonly body?: string | undefined;
  /** What the error tells the user to do where not all fits. */
  readonly advice?: string;
}

/** A file's tensors under a network's names, for `loadStateDict`. */
export interface MatchedStateDict {
  /** What fits, by the network's names. */
  readonly tensors: ReadonlyMap<string, Float32Array>;
  /** Names of the network's tensors that the file lacks, or has in another shape. Only those of the head, unless `partial`. */
  readonly left: readonly string[];
  /** The network's tensors that did not fit beside the file's, for people; empty where all fit. */
  readonly report: string;
}

/**
 * Finds the network's tensors in a file's. Names in the file may have a prefix; `num_batches_tracked` counts for
 * neither side. Throws `UserError`, with what differs side by side, where not all fits; with `partial`, where nothing does;
 * and where what fits is not finite.
 *
 * ```ts
 * import assert from "node:assert/strict";
 * import { StateDict } from "../format/state_dict.ts";
 * import { Linear } from "./mod.ts";
 *
 * const f32 = (shape: number[], ...numbers: number[]) =>
 *   ({ dtype: "F32", shape, data: Float32Array.from(numbers) }) as const;
 * const file = new StateDict("linear.pth", [
 *   ["module.weight", f32([1, 2], 3, 4)], // the prefix that PyTorch's DataParallel puts before all names
 *   ["module.bias", f32([1], 5)],
 * ]);
 * const { tensors } = matchStateDict(new Linear(2, 1), file);
 * assert.deepEqual([...tensors.keys()], ["weight", "bias"]);
 * assert.throws(() => matchStateDict(new Linear(3, 1), file), /weights of another network/);
 * ```
 */
export function matchStateDict(
  model: Module,
  dict: StateDict,
  {
    partial = false,
    head = new Set(),
    body,
    advice = "--partial takes what does, and leaves the rest as it is",
  }: MatchOptions = {},
): MatchedStateDict {
  const ours = new Map([...stateDict(model)].filter(([, item]) => !(item instanceof Counter)));
  const known = withoutPrefix(withoutCounters(named(model, dict)), [...ours.keys()]);
  const theirs = body === undefined ? known : underBody(known, [...ours.keys()], `${body}.`);
  const isBeside = (name: string) => body !== undefined && !name.startsWith(`${body}.`);
  const tensors = new Map<string, Float32Array>();
  const rows: Row[] = [];
  const left: string[] = [];
  for (const [name, { shape }] of ours) {
    const found = theirs.get(name);
    if (found && sameShape(found.shape, shape)) {
      tensors.set(name, toFloats(found.data));
      continue;
    }
    left.push(name);
    if (head.has(name) || (body !== undefined && (!found || isBeside(name)))) continue;
    rows.push([`${name} ${formatShape(shape)}`, found ? `${name} ${describeTensor(found)}` : ""]);
  }
  const strange = [...theirs].filter(([name]) => !ours.has(name) && !isBeside(name));
  fillRight(rows, strange.map(([name, tensor]) => `${oneLine(name)} ${describeTensor(tensor)}`));
  const report = rows.length > 0 ? tableOf(rows, dict.file) : "";
  if (tensors.size === 0 || (rows.length > 0 && !partial)) {
    const more = partial ? "nothing in it fits" : advice;
    const counts = `${tensors.size} of the network's ${ours.size} tensors fit`;
    const extra = strange.length > 0 ? `, and ${strange.length} of the file's are unknown` : "";
    throw new UserError(
      `${dict.file}: weights of another network: ${counts}${extra}; ${more}\n${report}`.trimEnd(),
    );
  }
  for (const [name, data] of tensors) checkFinite(name, data, dict.file);
  return { tensors, left, report };
}

/**
 * Writes what fits into a session; the rest keeps its numbers. Layers that a network owns and does not use are in no graph
 * of it, and their weights are left out.
 */
export function loadStateDict(session: Session, { tensors }: MatchedStateDict): void {
  const used = new Set(session.stateNames);
  for (const [name, data] of tensors) if (used.has(name)) session.writeState(name, data);
}

type Tensors = ReadonlyMap<string, StateTensor>;

/** The network's tensor, and the file's; empty where there is none. */
type Row = [ours: string, theirs: string];

/** Rows that are shown before the rest is counted. */
const MOST_ROWS = 24;

/** The file's tensors under names such as the network's. */
function named(model: Module, dict: StateDict): Tensors {
  switch (dict.convention) {
    case "torch":
      return dict;
    case "keras":
      return fromKeras(model, dict);
    case "darknet":
      return fromDarknet(model, dict);
  }
}

function withoutCounters(dict: Tensors): Tensors {
  return new Map([...dict].filter(([name]) => !/(^|\.)num_batches_tracked$/.test(name)));
}

/** Takes off the prefix that most of the names have, unless some are known without it. */
function withoutPrefix(theirs: Tensors, names: readonly string[]): Tensors {
  const [first] = names;
  if (first === undefined || names.some((name) => theirs.has(name))) return theirs;
  const prefixes = [...theirs.keys()].filter((name) => name.endsWith(`.${first}`))
    .map((name) => name.slice(0, -first.length));
  const fits = (prefix: string) => names.filter((name) => theirs.has(prefix + name)).length;
  const [prefix] = prefixes.sort((a, b) => fits(b) - fits(a));
  if (prefix === undefined) return theirs;
  return new Map([...theirs].map(([name, tensor]) => [
    name.startsWith(prefix) ? name.slice(prefix.length) : name,
    tensor,
  ]));
}

/** Puts the body's name before the names of those tensors that are its own. */
function underBody(theirs: Tensors, names: readonly string[], body: string): Tensors {
  const own = names.filter((name) => name.startsWith(body));
  if (own.some((name) => theirs.has(name))) return theirs;
  const short = own.map((name) => name.slice(body.length));
  const known = new Set(short);
  return new Map([...withoutPrefix(theirs, short)].map(([name, tensor]) => [
    known.has(name) ? body + name : name,
    tensor,
  ]));
}

function toFloats(data: Numbers): Float32Array {
  return data instanceof Float32Array ? data : Float32Array.from(data as Iterable<number | bigint>, Number);
}

/** Puts what only the file has beside what only the network has, in their orders: often it is the same under two names. */
function fillRight(rows: Row[], texts: readonly string[]): void {
  const gaps = rows.filter(([, right]) => right === "");
  texts.forEach((text, i) => {
    const gap = gaps[i];
    if (gap) gap[1] = text;
    else rows.push(["", text]);
  });
}

function tableOf(rows: readonly Row[], file: string): string {
  const shown = rows.slice(0, MOST_ROWS).map(([a, b]) => [a || "-", b || "-"] as const);
  const lines = [["the network", file] as const, ...shown];
  const width = Math.max(...lines.map(([ours]) => ours.length));
  const table = lines.map(([ours, theirs]) => `  ${ours.padEnd(width)} | ${theirs}`);
  if (rows.length > MOST_ROWS) table.push(`  and ${rows.length - MOST_ROWS} more`);
  return table.join("\n");
}
