/**
 * A mistake that the user can mend: a flag, a file, a name. The message is one line that says which one and what to do;
 * the command line prints it without a stack trace and exits with code 2.
 */
export class UserError extends Error {
  override readonly name = "UserError";
}
