/** How every command ends: its exit code, or one line about what is wrong. */
import { UserError } from "../core/errors.ts";
import { ShapeError } from "../core/graph/builder.ts";

/**
 * Runs a command and ends the program: 0 for success, 2 for a mistake that the user can mend, 1 where Strata itself is
 * at fault (then with a stack trace, to be reported).
 */
export async function main(command: (args: readonly string[]) => Promise<number>): Promise<never> {
  Deno.exit(await exitCode(command));
}

async function exitCode(command: (args: readonly string[]) => Promise<number>): Promise<number> {
  try {
    return await command(Deno.args);
  } catch (error) {
    if (error instanceof UserError || error instanceof ShapeError) {
      console.error(`error: ${error.message}`);
      return 2;
    }
    if (error instanceof Deno.errors.NotCapable) {
      console.error(
        `error: ${error.message.split(",", 1)[0]}: run it as "deno run -P train.ts" or "deno task train"`,
      );
      return 2;
    }
    console.error(error);
    return 1;
  }
}
