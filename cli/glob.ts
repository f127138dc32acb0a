/** Names with wildcards, and what `--only` chooses by them. */
import { UserError } from "../core/errors.ts";

/** What a name with wildcards matches: `*` stands for any characters, `?` for one. */
export function globPattern(glob: string): RegExp {
  const source = glob.replaceAll(/[.+^${}()|[\]\\]/g, "\\$&").replaceAll("*", ".*").replaceAll("?", ".");
  return new RegExp(`^${source}$`);
}

/** Cases that match one of the comma-separated patterns of `--only`; all where nothing is said. */
export function selectCases<Case extends { readonly name: string }>(
  cases: readonly Case[],
  globs: string | undefined,
): readonly Case[] {
  if (globs === undefined) return cases;
  const patterns = globs.split(",").map(globPattern);
  const selected = cases.filter(({ name }) => patterns.some((pattern) => pattern.test(name)));
  if (selected.length > 0) return selected;
  throw new UserError(
    `--only ${globs}: none of the ${cases.length} cases has such a name; one is ${cases[0]?.name}`,
  );
}
