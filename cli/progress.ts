/** How far a command has come, on the error stream, so that its output stays clean: a bar on a terminal, else lines. */
import { bar, duration } from "./terminal.ts";

const encoder = new TextEncoder();
const isTerminal = Deno.stderr.isTerminal();

/** Time between two lines where there is no terminal. */
const LOG_MILLISECONDS = 10_000;

export interface Progress {
  /** `share` of all is done (0 … 1), and `what` is next. */
  show(share: number, what: string): void;
  /** Leaves the terminal in order. */
  stop(): void;
}

/** Starts the clock by which the time left is told. */
export function createProgress(): Progress {
  const started = performance.now();
  let shown = isTerminal ? -Infinity : started;
  return {
    show(share, what) {
      const now = performance.now();
      if (now - shown < (isTerminal ? 50 : LOG_MILLISECONDS)) return;
      shown = now;
      const left = share > 0 ? `  ${duration((now - started) / 1000 * (1 / share - 1))} left` : "";
      if (!isTerminal) return console.error(`${Math.floor(100 * share)} %  ${what}${left}`);
      const line = `${bar(share)}${left}  ${what}`;
      write(`\r\x1b[K${[...line].slice(0, Deno.consoleSize().columns - 1).join("")}`);
    },
    stop() {
      if (isTerminal) write("\r\x1b[K");
    },
  };
}

/** Runs what looks at many files, and shows how far it has come. */
export async function whileReading<T>(
  work: (onRead: (done: number, all: number) => void) => Promise<T>,
): Promise<T> {
  const progress = createProgress();
  try {
    return await work((done, all) => progress.show(done / all, `image ${done} of ${all}`));
  } finally {
    progress.stop();
  }
}

function write(text: string): void {
  Deno.stderr.writeSync(encoder.encode(text));
}
