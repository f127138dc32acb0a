/** A golden folder: reference numbers as its files hold them. Nothing about shapes or attributes is assumed. */
import type { Shape } from "../shape.ts";

export interface GoldenTensor {
  readonly shape: Shape;
  readonly data: ArrayLike<number>;
}

export interface Golden {
  /** The parsed JSON files, by name without the ending: `ops`, `models`, `whole_models`, … */
  readonly json: ReadonlyMap<string, unknown>;
  /** The tensors of all safetensors files together. */
  readonly tensors: ReadonlyMap<string, GoldenTensor>;
}

/** A golden file that does not hold what its format promises. */
export class GoldenError extends Error {}

/** A tensor of the folder; throws `GoldenError` where it is absent. */
export function tensor(golden: Golden, name: string): GoldenTensor {
  const found = golden.tensors.get(name);
  if (!found) throw new GoldenError(`the golden files lack the tensor ${name}`);
  return found;
}

/** Entries of a JSON file that is an object of lists, such as `cases` of ops.json; none where the file is absent. */
export function list<Entry>(golden: Golden, file: string, key: string): readonly Entry[] {
  const entries = (golden.json.get(file) as Record<string, unknown> | undefined)?.[key] ?? [];
  if (!Array.isArray(entries)) throw new GoldenError(`${file}.json: ${key} is no list`);
  return entries;
}

/** Entries of a JSON file that is an object with a name an entry. */
export function named<Entry>(golden: Golden, file: string): [name: string, entry: Entry][] {
  return Object.entries((golden.json.get(file) ?? {}) as Record<string, Entry>);
}
