/** What a map has under a name. Throws, with the names there are, where it has nothing; `what` says what is looked for. */
export function find<T>(map: ReadonlyMap<string, T>, name: string, what: string): T {
  const found = map.get(name);
  if (found === undefined) {
    throw new Error(`there is no ${what} ${name}; there are ${[...map.keys()].join(", ")}`);
  }
  return found;
}
