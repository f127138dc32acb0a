/** Ctrl-C, and the like. */
import { leaveTerminal } from "./terminal.ts";

/** Exit codes of a run that a signal stopped, as shells have them. */
export const STOPPED = { SIGHUP: 129, SIGINT: 130, SIGTERM: 143 } as const;

type Signal = keyof typeof STOPPED;

export interface SignalWatch {
  readonly received: Signal | undefined;
  stop(): void;
}

/**
 * What is watched. Without any terminal, SIGHUP is left alone: `nohup` has it ignored, and whoever listens to it would stop
 * being deaf to it.
 */
function watched(): Signal[] {
  const attached = [Deno.stdin, Deno.stdout, Deno.stderr].some((stream) => stream.isTerminal());
  return attached ? ["SIGHUP", "SIGINT", "SIGTERM"] : ["SIGINT", "SIGTERM"];
}

/** The first signal asks the loop to stop; a second one ends the program at once. */
export function watchSignals(): SignalWatch {
  let received: Signal | undefined;
  const handlers = watched().map((name) => {
    const handler = () => {
      if (received) Deno.exit(STOPPED[name]);
      received = name;
      if (name === "SIGHUP") leaveTerminal();
      console.error("\nFinishing the step; once more to stop at once.");
    };
    Deno.addSignalListener(name, handler);
    return [name, handler] as const;
  });
  return {
    get received() {
      return received;
    },
    stop: () => handlers.forEach(([name, handler]) => Deno.removeSignalListener(name, handler)),
  };
}
