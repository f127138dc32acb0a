/** Options by name. Users' networks run without type checking, so an option that a layer does not have must be an error. */
import { UserError } from "../errors.ts";

/** Throws `UserError` where `options` are not given by name, or name one that `of`, a layer or function, does not have. */
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
