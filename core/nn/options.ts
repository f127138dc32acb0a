/** Options by name. Networks of one's own run without a check of types: what a layer has not must not go unnoticed. */
import { UserError } from "../errors.ts";

/** Throws `UserError` where `options` are not given by name, or name one that `of`, a layer or function, has not. */
export function expectOptions<Options extends object>(
  of: string,
  options: Options,
  known: readonly (keyof Options & string)[],
): void {
  const list = known.join(", ");
  if (typeof options !== "object" || options === null) {
    throw new UserError(
      `${of} takes its options by name, such as { ${known[0]}: ${options} }; it has ${list}`,
    );
  }
  const strange = Object.keys(options).find((name) => !known.some((one) => one === name));
  if (strange !== undefined) throw new UserError(`${of} has no option ${strange}; it has ${list}`);
}
