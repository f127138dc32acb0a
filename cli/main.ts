/** How every command ends: its exit code, or one line about what is wrong. */
import { DeviceLost, OutOfMemory } from "../core/backend/backend.ts";
import { UserError } from "../core/errors.ts";
import { ShapeError } from "../core/graph/builder.ts";
import { NotFinite } from "../core/train/not_finite.ts";
import { WorkerDied } from "../core/worker_life.ts";
import { reason } from "../host/files.ts";

/** Exit code where a loss or weights are no longer finite. */
export const NOT_FINITE = 3;
/** Exit code where the device was lost, or had no memory left in the middle of its work. */
export const LOST = 5;

/**
 * Runs a command and ends the program with its exit code: 0 where all is done, 1 where Strata itself is at fault (with a
 * stack trace, to be reported) or a worker died, 2 for a mistake in what was asked, which the user can mend. `train` ends with 3
 * where the loss was not finite, and with 129, 130 or 143 where a signal stopped it. Any ends with 5 where the GPU was lost.
 */
export async function main(command: (args: readonly string[]) => Promise<number>): Promise<never> {
  const isWritten = watchOutput();
  const code = await exitCode(command);
  Deno.exit(code === 0 && !isWritten() ? 2 : code);
}

/**
 * Lets no run end because its lines go to a file on a disk that is full: that is told once. Returns what says whether all
 * lines were written. (That nobody reads them, as behind `| head`, is no fault.)
 */
function watchOutput(): () => boolean {
  const { log, error: complain } = console;
  let failed = false;
  const watched = (print: typeof log) => (...values: unknown[]) => {
    try {
      print(...values);
    } catch (error) {
      if (failed) return;
      failed = true;
      console.error(`error: what is printed cannot be written (${reason(error)}): make room where it goes`);
    }
  };
  console.log = watched(log);
  console.error = watched(complain);
  return () => !failed;
}

async function exitCode(command: (args: readonly string[]) => Promise<number>): Promise<number> {
  try {
    return await command(Deno.args);
  } catch (error) {
    if (error instanceof DeviceLost) {
      console.error(`error: ${error.message}`);
      return LOST;
    }
    if (error instanceof NotFinite) {
      console.error(`error: ${error.message}`);
      return NOT_FINITE;
    }
    if (error instanceof OutOfMemory) {
      console.error(`error: this ${error.message}: take smaller batches, or a smaller network`);
      return 2;
    }
    if (error instanceof WorkerDied) {
      console.error(`error: ${error.message}`);
      return 1;
    }
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
