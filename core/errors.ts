/**
 * A mistake that the user can mend: a flag, a file, a name. The message is one line that says which one and what to do;
 * the command line prints it without a stack trace and exits with code 2.
 */
export class UserError extends Error {
  override readonly name = "UserError";
}

/** Text from a file as part of one line: control characters as `\x1b`, and not too much of it. */
export function oneLine(text: string): string {
  const shown = text.length > 400 ? `${text.slice(0, 400)}…` : text;
  return shown.replace(/\p{Cc}/gu, (character) => {
    return `\\x${character.charCodeAt(0).toString(16).padStart(2, "0")}`;
  });
}
