/** Ctrl-C, and the like. */

/** Exit codes of a run that a signal stopped, as shells have them. */
export const STOPPED = { SIGINT: 130, SIGTERM: 143 } as const;

type Signal = keyof typeof STOPPED;

export interface SignalWatch {
  readonly received: Signal | undefined;
  stop(): void;
}

/** The first signal asks the loop to stop; a second one ends the program at once. */
export function watchSignals(): SignalWatch {
  let received: Signal | undefined;
  const handlers = (Object.keys(STOPPED) as Signal[]).map((name) => {
    const handler = () => {
      if (received) Deno.exit(STOPPED[name]);
      received = name;
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
