/** Names of classes from a text file: one a line, in the order of the scores; empty lines at the end do not count. */
export function parseClassNames(text: string): string[] {
  const names = text.split(/\r?\n/).map((name) => name.trim());
  while (names.at(-1) === "") names.pop();
  return names;
}
