/** What a name with wildcards matches: `*` stands for any characters, `?` for one. */
export function globPattern(glob: string): RegExp {
  const source = glob.replaceAll(/[.+^${}()|[\]\\]/g, "\\$&").replaceAll("*", ".*").replaceAll("?", ".");
  return new RegExp(`^${source}$`);
}
