import { fileURLToPath } from "node:url";
import type { Command } from "../../peers/worker.ts";

/** Starts a worker that does what `what` says, see fake_worker.ts. */
export function fakeCommand(what: string): Command {
  const file = fileURLToPath(new URL("fake_worker.ts", import.meta.url));
  return { program: Deno.execPath(), args: ["run", "--quiet", "-A", file, what] };
}
